"""A newcomer's first half hour in a real browser: the start page, the first lab, a wrong answer, a right one, green."""

import json

from common.course.banks.collect import own_bank
from common.course.source.lab_source import find_lab

LAB = "work/01_tensors/01_video_loader_benchmark.ipynb"
WRONG = "forgets_the_last_keyframe"
EXERCISE, NEXT_EXERCISE = "decode_runs", "decoded_per_asked"
PICTURE_LAB = "work/01_tensors/02_frame_extractor.ipynb"
PAGE = "work/01_tensors/tutorials/01_video_is_a_tensor.ipynb"

# How light the ground under a node is, and its text on that ground, from 0 to 1: all backgrounds from the page's
# outermost element down to the node are painted on one dot, then the text's colour, each with its own transparency.
LIGHTNESS = """node => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = colour => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  const nodes = [];
  for (let above = node; above; above = above.parentElement) nodes.unshift(above);
  let ground = paint("white");
  for (const above of nodes) ground = paint(getComputedStyle(above).backgroundColor);
  return [ground, paint(getComputedStyle(node).color)];
}"""


def kept(lab_id, exercise, name):
    """An answer of the bank: its code as a learner would type it, and the words that the verdict must hold."""
    found, *_ = [a for a in own_bank([find_lab(lab_id)]) if a.exercise == exercise and name in a.name]
    return found.code[found.code.index("def ") :].strip(), found.words


def count_exercises(course):
    """How many there are in all labs; a page of short items, 00_NAME, is none."""
    labs = [path for path in course.glob("labs/*/*.ipynb") if not path.name.startswith("00_")]
    cells = [c for lab in labs for c in json.loads(lab.read_text(encoding="utf-8"))["cells"]]
    return sum("exercise" in cell["metadata"].get("flipbook", {}) for cell in cells)


def start_page(page, address):
    page.goto(address)
    page.locator(".fb-hero").wait_for()
    page.locator(".jp-DirListing-item").first.wait_for()
    return page.locator(".flipbook-start-page")


def test_a_newcomer_solves_an_exercise(course, address, open_page, notebook, snapshot):
    """From the start page to green and back, with two clicks."""
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    start = start_page(page, address)
    snapshot(page, "1-start-page")
    total = count_exercises(course)
    assert start.locator(".fb-totals dd").first.inner_text() == f"0 of {total}"
    for popup in (".jp-Dialog", ".Toastify__toast"):
        assert page.locator(popup).count() == 0, "nothing may stand between a newcomer and the page"

    start.get_by_role("link", name="Open the lab").click()
    lab = notebook(page, LAB)
    lab.run(lab.cell("from common.course import check"))
    check = lab.cell(f'check("01.1", "{EXERCISE}")')
    verdict = check.locator(".flipbook-check")
    lab.run(check)
    assert "run the cell that defines" in verdict.inner_text()
    exercise = lab.cell(f"def {EXERCISE}")
    lab.run(exercise)
    lab.run(check)
    assert "not written yet" in verdict.inner_text().lower()
    snapshot(page, "2-not-written-yet")

    code, words = kept("01.1", EXERCISE, WRONG)
    lab.write(exercise, code)
    lab.run(exercise)
    lab.run(check)
    assert all(said.casefold() in verdict.inner_text().casefold() for said in words)
    lab.show(verdict)
    snapshot(page, "3-wrong")
    wrong_colour = colour_of(verdict)

    right, _ = kept("01.1", EXERCISE, "right_")
    lab.write(exercise, right)
    lab.run(check)
    assert "since you ran it" in verdict.inner_text(), (
        "a check judges what was run, and says when that is not on screen"
    )
    lab.run(exercise)
    lab.run(check)
    assert is_green(colour_of(verdict)) and not is_green(wrong_colour)
    lab.show(verdict)
    snapshot(page, "4-right")

    lab.save()
    saved = json.loads((course / LAB).read_text(encoding="utf-8"))
    written = next(c for c in saved["cells"] if c["metadata"].get("flipbook", {}).get("exercise") == EXERCISE)
    assert "".join(written["source"]).strip() == right

    page.get_by_role("button", name="Start page").click()
    passed = start.locator(".fb-totals dd").first
    passed.get_by_text("1", exact=True).or_(passed.filter(has_text=f"1 of {total}")).first.wait_for()
    assert NEXT_EXERCISE in start.locator(".fb-hero").inner_text()
    snapshot(page, "5-back-on-the-start-page")
    start.get_by_role("link", name="Continue the lab").click()
    assert notebook(page, LAB).panel.count() == 1
    foreign = [url for url in asked if not url.startswith((address.split("lab?")[0], "data:", "blob:"))]
    assert foreign == [], "the course works without a network"


def test_a_wrong_picture_is_shown_beside_the_right_one(course, address, open_page, notebook, snapshot):
    """Where the subject is visual the verdict holds pictures, here on a dark page."""
    page = open_page((1440, 900), "dark")
    page.goto(address.replace("lab?", f"lab/tree/{PICTURE_LAB}?"))
    lab = notebook(page, PICTURE_LAB)
    lab.run(lab.cell("from common.course import check"))
    exercise = lab.cell("def frames_to_clip")
    lab.write(exercise, kept("01.2", "frames_to_clip", "bgr")[0])
    lab.run(exercise)
    check = lab.cell('check("01.2", "frames_to_clip")')
    lab.run(check)
    pictures = check.locator(".flipbook-check img")
    try:
        pictures.first.wait_for()
    except Exception as late:
        raise AssertionError(f"no picture came; the cell says: {check.all_inner_texts()}") from late
    lab.show(pictures.last)
    for width in pictures.evaluate_all("all => all.map(picture => picture.naturalWidth)"):
        assert width > 0, "a picture did not arrive"
    snapshot(page, "6-wrong-picture-dark")


def colour_of(verdict):
    return verdict.evaluate("node => getComputedStyle(node).borderLeftColor.match(/\\d+/g).map(Number)")


def is_green(colour):
    red, green, blue = colour[:3]
    return green > 1.3 * red and green > 1.3 * blue


def test_the_start_page_is_readable(address, open_page, snapshot):
    """In both themes and in a small window: text on the right ground, nothing cut off at the side."""
    page = open_page()
    start = start_page(page, address)
    for theme, size in (("light", (1440, 900)), ("dark", (1280, 900)), ("dark", (900, 700))):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{str(theme == 'light').lower()}'")
        for part in (".fb-hero h2", ".fb-totals dd", ".fb-checklist li", ".fb-timeline th", ".fb-note"):
            ground, text = start.locator(part).first.evaluate(LIGHTNESS)
            assert abs(ground - text) > 0.35, f"{part} cannot be read"
            assert (ground > text) == (theme == "light"), f"{part} is not in the {theme} theme"
        width = start.evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert width[0] <= width[1], "the page is wider than its tab"
        for part in (".fb-head", ".fb-checklist", ".fb-timeline"):
            start.locator(part).scroll_into_view_if_needed()
            snapshot(page, f"7-start-{theme}-{size[0]}{part}")


def test_a_tick_stays_and_every_link_opens(course, address, open_page, notebook):
    """Ticks survive a reload; a link of the page opens what it names; the course's own files lead to the copies."""
    page = open_page()
    start = start_page(page, address)
    box = start.get_by_label("Read the Sora technical report")
    box.check()
    start.locator("[data-tick=sora-report][checked]").wait_for(state="attached")
    page.reload()
    page.get_by_role("button", name="Start page").click()
    assert start.get_by_label("Read the Sora technical report").is_checked()

    start.get_by_role("link", name="The glossary").click()
    page.locator(".jp-MarkdownViewer h1").first.wait_for()
    page.get_by_role("button", name="Start page").click()
    start.get_by_role("link", name="A video is a tensor").first.click()
    assert notebook(page, PAGE).panel.locator("h1").first.inner_text()

    page.goto(address.replace("lab?", "lab/tree/labs/01_tensors/02_frame_extractor.ipynb?"))
    page.locator('.lm-TabBar-tab[title*="Path: work/01_tensors/02_frame_extractor.ipynb"]').wait_for()
    assert page.locator('.lm-TabBar-tab[title*="Path: labs/"]').count() == 0
