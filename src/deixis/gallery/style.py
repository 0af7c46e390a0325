"""How a gallery looks: one column on a phone, more on a wide screen, light or dark as the reader's system."""

from __future__ import annotations

from deixis.answers.drawing.palette import COLOURS, ink_on

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f5f5f2; --card: #ffffff; --ink: #1c1c1a; --quiet: #5d5d58; --line: #dcdcd6; --link: #0b5cad;
  --right: #176b3a; --right-ground: #dff3e5; --wrong: #a3200d; --wrong-ground: #fde5e0;
  --open-ground: #ececea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161616; --card: #212121; --ink: #ececea; --quiet: #a9a9a4; --line: #3a3a38; --link: #8ab8f0;
    --right: #8fdcab; --right-ground: #17371f; --wrong: #ffab9c; --wrong-ground: #47190f;
    --open-ground: #343432;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
a { color: var(--link); white-space: nowrap; }
header, main, footer { max-width: 100rem; margin: 0 auto; padding: 1rem clamp(0.75rem, 2.5vw, 2rem); }
h1 { margin: 1rem 0 0.25rem; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 0 0 0.5rem; font-size: 1.1rem; }
p { margin: 0.5rem 0; max-width: 46rem; }
.quiet { color: var(--quiet); font-size: 0.875rem; }
.about { display: grid; gap: 1.5rem 3rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0.5rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
th { color: var(--quiet); font-weight: 600; }
td.count { white-space: nowrap; font-variant-numeric: tabular-nums; }
.cards { display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; overflow: hidden; }
.card > h2 { margin: 0; padding: 0.6rem 1rem; }
.card > h2 .quiet { font-weight: 400; }
figure { margin: 0; background: #111111; text-align: center; }
figure img { display: block; width: 100%; height: auto; max-height: 32rem; object-fit: contain; }
.card ol { list-style: none; margin: 0; padding: 0 1rem; }
.card li { padding: 0.7rem 0; border-top: 1px solid var(--line); display: grid;
  grid-template-columns: 1.7rem 1fr; column-gap: 0.6rem; }
.card li:first-child { border-top: 0; }
.card li figure { grid-column: 1 / -1; margin-top: 0.6rem; border-radius: 0.3rem; overflow: hidden; }
.number { width: 1.7rem; height: 1.7rem; border-radius: 0.3rem; display: inline-grid; place-items: center;
  font-weight: 700; font-size: 0.9375rem; line-height: 1; }
.pointed { background: #000000; color: #ffffff; border: 1px solid #ffffff; outline: 1px solid #000000; }
.asked { color: var(--quiet); }
.answer { font-size: 1.0625rem; }
.card li p { margin: 0; max-width: none; }
.verdict { border-radius: 0.3rem; padding: 0.05rem 0.45rem; font-weight: 600; font-size: 0.875rem;
  white-space: nowrap; background: var(--open-ground); }
.right { color: var(--right); background: var(--right-ground); }
.wrong { color: var(--wrong); background: var(--wrong-ground); }
.key { list-style: none; margin: 0.5rem 0; padding: 0; display: grid; gap: 0.35rem; }
.key li { display: grid; grid-template-columns: 3rem 1fr; gap: 0.75rem; align-items: center; }
.swatch { height: 1.5rem; border-radius: 2px; }
.swatch.found { border: 4px solid #e69f00; }
.swatch.meant { border: 3px dashed #e69f00; }
.swatch.shown { border: 3px dashed #ffffff;
  background: linear-gradient(#8a8a85, #8a8a85) padding-box, #000000 border-box; }
@media print { .card { break-inside: avoid; } }
"""


def colour_rules() -> str:
    """Return two classes for each colour of an answer: ``c0`` fills with the first, ``u0`` underlines."""
    rules = []
    for number, colour in enumerate(COLOURS):
        ground, ink = (f"rgb({', '.join(map(str, one))})" for one in (colour, ink_on(colour)))
        rules.append(f".c{number} {{ background: {ground}; color: {ink}; }}")
        rules.append(f".u{number} {{ text-decoration: underline 3px {ground}; text-underline-offset: 3px; }}")
    return "\n".join(rules) + "\n"
