from common.course import build
from common.course.build import targets, dumps, _write
for t in targets(("02.3",)):
    import inspect
    print(t)
    n=t.draft.notebook(t.flipbook)
    p="/work/wt/023/solutions/02_early_models/03_tiny_video_gan.ipynb"
    _write(__import__("pathlib").Path(p), dumps(n))
