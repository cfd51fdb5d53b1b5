"""The prompts that this repository itself uses, and the table of their states that ships for them.

    python -m common.zoo.sprites_t2v.prompts

reads all of them with the installed text encoder and writes the table anew; a test compares it with this list. With the
table, evaluation, tutorials, tests and the README's commands run where the encoder's weights (84 MB) are not.
"""

from common.data.sprites import SpriteData, caption
from common.text.encoder import TABLE, TextEncoder, weights_folder
from common.text.kept import PromptTable, normal

# set -> split of the world, objects, prompts. `SpriteData` draws the clips to these captions under the same numbers.
EVALUATION = {
    "one_object": ("test", 1, 300),
    "held_out": ("held_out", 1, 300),
    "two_objects": ("test", 2, 200),
}

SHOWN = (
    "",  # what guidance compares with
    "a small red star moves left over a blue field",
    "a large yellow circle bounces over a green field",
    "a large green cross orbits on purple stripes",
    "a small white ring rises in front of a black checkerboard",
    "a large purple triangle grows over a white field",
    "a small cyan square sinks on red dots",
    "a small black circle stands still over a yellow field",
    "a large blue square moves right over white stripes, the camera zooms in",
    "a large red circle moves right and a small white star bounces over a blue field",
    "a small green triangle orbits while a large yellow ring moves up on a black checkerboard",
)  # fmt: skip

ONE_WORD = (
    "a small red ring moves left over a blue field",
    "a large red star moves left over a blue field",
    "a small yellow star moves left over a blue field",
    "a small red star moves right over a blue field",
    "a small red star moves left over green dots",
)  # the star of above with one thing changed, as the tutorial of phase 06 shows it


def evaluation_prompts(name: str) -> list[str]:
    """The captions of a set, in the order of their numbers.

    Raises:
        KeyError: there is no such set.
    """
    split, num_objects, count = EVALUATION[name]
    scenes = SpriteData(split, num_objects=num_objects).scenes(range(count))
    return [caption(scene, scene.index) for scene in scenes]


def all_prompts() -> list[str]:
    """Every prompt of the table, in its normal form, once."""
    prompts = [*SHOWN, *ONE_WORD, *(prompt for name in EVALUATION for prompt in evaluation_prompts(name))]
    return list(dict.fromkeys(map(normal, prompts)))


def main() -> None:
    """Write the table."""
    prompts = all_prompts()
    PromptTable.write(TABLE, TextEncoder(weights_folder()).read(prompts))
    print(f"{TABLE}: {len(prompts)} prompts, {TABLE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
