"""`from_pretrained` that takes the name of shipped weights."""

from pathlib import Path

ZOO = Path(__file__).parents[1] / "zoo"


class Shipped:
    """For a model, before `ModelMixin`: `from_pretrained("sprites-vae")` finds the weights that come with the library.

    A name stands for a folder of `common/zoo`, with `_` for `-`. Everything else goes to diffusers' own method: a
    folder anywhere, or a name on a hub.
    """

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """See `diffusers.ModelMixin.from_pretrained`.

        Raises:
            OSError: the name is that of a recipe of the library, whose weights are not there.
        """
        name = str(pretrained_model_name_or_path)
        place = ZOO / name.replace("-", "_")
        if "/" not in name and "\\" not in name and (place / "recipe.py").is_file():
            if not (place / "config.json").is_file():
                raise OSError(f"the weights of {name} are not there; its recipe makes them: flipbook train {name}")
            pretrained_model_name_or_path = place
        return super().from_pretrained(pretrained_model_name_or_path, **kwargs)
