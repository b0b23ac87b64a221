# SPDX-License-Identifier: GPL-2.0-or-later
"""page_check.py CHECK PAGE [FILE]: what a reader can do with a report, in Chromium."""
import re
import sys

from browser import Browser

CELLS = """Array.from(document.querySelector('#figures table').tBodies[0].rows,
  r => r.cells[%d].textContent)"""
FLAME = "document.querySelectorAll('svg.flame')[0]"
TOOLS = "document.querySelectorAll('.tools')[0]"


def expect(what, is_true):
    if not is_true:
        sys.exit(f"{what}")


def number(cell):
    found = re.match(r"[-\d.,]+", cell)
    return float(found[0].replace(",", "")) if found and found[0] != "-" else None


def sorting(b):
    """A click on a head sorts by numbers, the second in reverse; a button has the focus."""
    head = "document.querySelector('#figures thead').rows[0].cells[2]"
    before = b.run(CELLS % 2)
    b.run(f"{head}.querySelector('button').click()")
    up = [n for n in map(number, b.run(CELLS % 2)) if n is not None]
    expect(f"not sorted: {up}", up == sorted(up) and len(set(up)) > 2)
    expect("no aria-sort", b.run(f"{head}.getAttribute('aria-sort')") == "ascending")
    b.run(f"{head}.querySelector('button').focus()")
    b.key("Enter")
    down = [n for n in map(number, b.run(CELLS % 2)) if n is not None]
    expect(f"not in reverse: {down}", down == up[::-1])
    expect("cells without a number are not last", number(b.run(CELLS % 2)[-1]) is None)
    expect("rows are lost", sorted(before) == sorted(b.run(CELLS % 2)))


def visible(b):
    """Label and width of each box that is shown."""
    return b.run(f"""Array.from({FLAME}.querySelectorAll('.boxes>g'))
      .filter(g => g.getBoundingClientRect().width > 0)
      .map(g => [g.querySelector('title').textContent.split(':')[0],
                 g.querySelector('rect').getBoundingClientRect().width])""")


def zoom(b):
    """A click zooms in; the same box, the button and Escape zoom out."""
    whole = b.run(f"{FLAME}.getBoundingClientRect().width")
    before = visible(b)
    name = next(n for n, w in before if "__kvm_vcpu_run_vhe" in n)
    click = f"""Array.from({FLAME}.querySelectorAll('.boxes>g'))
      .find(g => g.querySelector('title').textContent.startsWith({name!r}))
      .dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"""
    for back in (click, f"{TOOLS}.querySelector('button').click()", "Escape"):
        b.run(click)
        zoomed = dict(visible(b))
        expect(f"{name} is {zoomed[name]} wide of {whole}", zoomed[name] > 0.99 * whole)
        expect("nothing was hidden", len(zoomed) < len(before))
        expect("a box is wider than the picture", max(zoomed.values()) < 1.01 * whole)
        label = b.run(f"""Array.from({FLAME}.querySelectorAll('text'), t => t.textContent)""")
        expect(f"{name} is cut", name in label)
        if back == "Escape":
            b.run(f"{TOOLS}.querySelector('input').focus()")
            b.key("Escape")
        else:
            b.run(back)
        after = visible(b)
        expect(f"not as before: {len(after)} boxes, {len(before)}",
               all(n == m and abs(v - w) < 0.5 for (n, v), (m, w) in zip(after, before))
               and len(after) == len(before))
    expect("Reset is enabled without a zoom", b.run(f"{TOOLS}.querySelector('button').disabled"))


def search(b):
    """The search marks boxes, adds each instruction once, and Enter zooms in."""
    total = int(b.run(f"{FLAME}.dataset.insns"))
    for text, least in (("VCPU_RUN", total), ("no such function", 0)):
        b.run(f"""(i => {{ i.focus(); i.value = {text!r};
          i.dispatchEvent(new Event('input')) }})({TOOLS}.querySelector('input'))""")
        said = b.run(f"{TOOLS}.querySelector('output').textContent")
        found = re.match(r"(\d+) found, ([\d,]+) instructions", said)
        marked = b.run(f"{FLAME}.querySelectorAll('.hit').length")
        expect(said, found and int(found[1]) == marked)
        # vcpu_run of the VMM is the box below all others of the host.
        expect(said, int(found[2].replace(",", "")) <= total)
        expect(said, (marked > 1) == bool(least))
    b.run(f"""(i => {{ i.value = 'vcpu_run_vhe'; i.dispatchEvent(new Event('input')) }})
      ({TOOLS}.querySelector('input'))""")
    b.key("Enter")
    expect("Enter does not zoom", not b.run(f"{TOOLS}.querySelector('button').disabled"))
    said = b.run(f"{TOOLS}.querySelector('output').textContent")
    expect(said, re.search(r"vcpu_run_vhe( [+-][\d,]+)?: .* instructions", said))


def luminance(color):
    return sum(map(float, re.findall(r"[\d.]+", color)[:3])) / 3


COLORS = """(e => [getComputedStyle(e).color,
  getComputedStyle(document.documentElement).backgroundColor])(document.body)"""


def dark(b):
    """Light text on a dark page, in tables, graphs and pictures; the printed page is light."""
    b.media(scheme="dark")
    ink, paper = map(luminance, b.run(COLORS))
    expect(f"ink {ink} on {paper}", ink > 180 and paper < 60)
    text = b.run(f"getComputedStyle({FLAME}.querySelector('.boxes text')).fill")
    boxes = b.run(f"""Array.from({FLAME}.querySelectorAll('.boxes rect'),
      r => getComputedStyle(r).fill)""")
    expect("text of a box", min(map(luminance, boxes)) - luminance(text) > 80)
    head = b.run(f"getComputedStyle({FLAME}.querySelector('text')).fill")
    expect(f"title of a graph: {head}", luminance(head) > 180)
    b.media(media="print", scheme="dark")
    ink, paper = map(luminance, b.run(COLORS))
    expect(f"printed: ink {ink} on {paper}", ink < 60 and paper > 240)


def width(b):
    """No page is wider than its window; tables scroll below a first column that stays."""
    for pixels in (1280, 390):
        b.size(pixels)
        wide = b.run("document.documentElement.scrollWidth")
        expect(f"{wide} wide in a window of {pixels}", wide <= pixels)
        b.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        wide = b.run("document.documentElement.scrollWidth")
        expect(f"{wide} wide in a window of {pixels}, unfolded", wide <= pixels)
    moved = b.run("""Array.from(document.querySelectorAll('.scroll'))
      .filter(s => s.scrollWidth > s.clientWidth + 50)
      .map(s => { s.scrollLeft = 50; return s })
      .flatMap(s => [s.querySelector('tbody th'), s.querySelector('thead .k')]
        .map(h => h.getBoundingClientRect().left - s.getBoundingClientRect().left))""")
    expect("no table scrolls", moved)
    expect(f"the first column moved: {moved}", max(map(abs, moved)) < 3)
    # The shadow at the right edge, which the end of the content covers, and no row hides.
    shadow = b.run("""Array.from(document.querySelectorAll('.scroll,figure'))
      .map(s => getComputedStyle(s).backgroundAttachment)""")
    expect(f"shadows: {shadow}", set(shadow) == {"local, scroll"})
    covered = b.run("""Array.from(document.querySelectorAll('.scroll td,.scroll tr'))
      .map(c => getComputedStyle(c).backgroundColor).filter(c => !c.startsWith('rgba'))""")
    expect(f"rows hide the shadow: {covered[:3]}", not covered)


def printed(b, path):
    """A page of paper: the script's tools are not printed, and nothing is cut at the right."""
    b.media(media="print")
    b.size(700)
    hidden = b.run("""Array.from(document.querySelectorAll('.tools'))
      .every(t => !t.getBoundingClientRect().width)""")
    expect("tools are printed", hidden)
    wide = b.run("document.documentElement.scrollWidth")
    expect(f"{wide} wide on paper of 700", wide <= 700)
    b.media()
    b.pdf(path)
    with open(path, "rb") as f:
        text = f.read()
    expect("not a PDF", text.startswith(b"%PDF") and len(text) > 20000)


def plain(b):
    """Without the script: figures and graphs are there, without dead buttons."""
    b.call("Emulation.setScriptExecutionDisabled", value=True)
    b.call("Page.reload")
    b.wait("Page.loadEventFired")
    expect("buttons", not b.run("document.querySelectorAll('button,input').length"))
    expect("boxes", len(visible(b)) > 5)


def main():
    b = Browser()
    try:
        b.size(1280)
        b.open(sys.argv[2])
        globals()[sys.argv[1]](b, *sys.argv[3:])
        expect(f"errors: {b.errors}", not b.errors)
    finally:
        b.close()


main()
