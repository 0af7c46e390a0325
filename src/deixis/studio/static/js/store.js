/** What the page knows: pictures with their regions and dialogues. Whoever shows it listens for "change". */

const MOST_STEPS = 200; // that can be undone

export class Store extends EventTarget {
  pictures = [];
  picture = null; // the one on the stage
  selected = null; // key of a region
  marked = null; // {slot, span}: the phrase that is pointed at on either side
  fixing = null; // {slot, span, words}: the answer that is being corrected
  models = [];
  overlay = null; // what a system looked at, shown over the picture
  #key = 0;
  #before = null; // what was there before a change that isn't kept yet

  tell(what = "all") { this.dispatchEvent(new CustomEvent("change", { detail: what })); }
  newKey() { return ++this.#key; }
  get regions() { return this.picture?.doc.regions ?? []; }
  get turns() { return this.picture?.turns ?? []; }
  region(key) { return this.regions.find((region) => region.key === key); }
  named(name) { return this.regions.find((region) => region.name === name); }

  add(picture) {
    const doc = { regions: [], fixes: new Map() };
    this.pictures.push({ ...picture, doc, turns: [], past: [], future: [] });
    this.show(this.pictures.at(-1));
  }

  show(picture) {
    this.picture = picture;
    this.selected = this.marked = this.fixing = this.overlay = this.#before = null;
    this.tell("picture");
  }

  close(picture) {
    const at = this.pictures.indexOf(picture);
    this.pictures.splice(at, 1);
    this.show(this.picture === picture ? this.pictures[Math.max(at - 1, 0)] ?? null : this.picture);
  }

  /** Change regions or corrections; `change` gets a copy and may alter it. live: shown, but not kept yet. */
  edit(change, { live = false } = {}) {
    const { picture } = this;
    const before = this.#before ?? picture.doc;
    this.#before = live ? before : null;
    picture.doc = { regions: [...before.regions], fixes: new Map(before.fixes) };
    change(picture.doc);
    if (live) return this.tell("mark");
    picture.past = [...picture.past, before].slice(-MOST_STEPS);
    picture.future = [];
    this.tell();
  }

  /** Take back what isn't kept yet. */
  revert() {
    if (!this.#before) return;
    this.picture.doc = this.#before;
    this.#before = null;
    this.tell("mark");
  }

  /** Undo from the past into the future; the other way round, redo. */
  undo(from = "past", to = "future") {
    const { picture } = this;
    if (!picture?.[from].length) return;
    picture[to].push(picture.doc);
    picture.doc = picture[from].pop();
    if (!this.region(this.selected)) this.selected = null;
    this.tell();
  }

  redo() { this.undo("future", "past"); }

  /** Add a region under the next free name and select it. */
  draw(kind, data) {
    const region = { key: this.newKey(), name: this.freeName(), kind, data };
    this.selected = region.key;
    this.edit((doc) => doc.regions.push(region));
    return region;
  }

  replace(region, how) {
    const swap = (one) => (one.key === region.key ? region : one);
    this.edit((doc) => (doc.regions = doc.regions.map(swap)), how);
  }

  remove(key) {
    if (this.selected === key) this.selected = null;
    this.edit((doc) => (doc.regions = doc.regions.filter((one) => one.key !== key)));
  }

  /** What is wrong with a name for a region, as a sentence; empty if nothing is. */
  misnamed(region, name) {
    const fine = /^[A-Za-z_]\w{0,39}$/.test(name);
    if (!fine) return "A name has letters, digits and _, and begins with no digit.";
    return (this.named(name) ?? region).key === region.key ? "" : `There is a region ${name} already.`;
  }

  freeName() {
    for (let n = 0; ; n++) {
      const name = String.fromCharCode(97 + (n % 26)) + (n < 26 ? "" : Math.floor(n / 26));
      if (!this.named(name)) return name;
    }
  }

  select(key) {
    if (this.selected === key) return;
    this.selected = key;
    this.tell("selection");
  }

  mark(mark) {
    if (mark?.slot === this.marked?.slot && mark?.span === this.marked?.span) return;
    this.marked = mark;
    this.tell("mark");
  }

  /** The answers that are shown on the picture: of the turn that is marked or corrected, or the last. */
  shownSlots() {
    const wanted = this.fixing?.slot ?? this.marked?.slot;
    const shown = ({ slots }) => (wanted ? slots.includes(wanted) : slots.some((slot) => slot.spans.length));
    return this.turns.findLast(shown)?.slots ?? [];
  }

  /** An answer's {text, spans} as they stand: corrected, or as the system gave them. */
  now(slot) { return this.picture?.doc.fixes.get(slot.key) ?? slot; }
}
