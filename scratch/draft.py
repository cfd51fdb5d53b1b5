from common.course import build
from common.course.release import release
for t in build.targets(("02.4",)):
    have=t.draft.notebook(t.flipbook); t.notebook.parent.mkdir(exist_ok=True)
    build._write(t.notebook, build.dumps(have))
    lab=t.lab.notebook("labs"); lab.parent.mkdir(exist_ok=True)
    build._write(lab, build.dumps(release(have))); print(t.notebook, lab)
