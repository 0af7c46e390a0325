/** What the page knows: pictures with their regions and dialogues. Whoever shows it listens for "change". */

export class Store extends EventTarget {
  pictures = [];
  picture = null; // the one on the stage
  selected = null; // key of a region
  marked = null; // {slot, span}: the phrase that is pointed at on either side
  fixing = null; // {slot, span, place}: the answer that is being corrected
  models = [];
  overlay = null; // what a system looked at, shown over the picture
  #key = 0;

  tell(what = "all") {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  newKey() {
    return ++this.#key;
  }

  get regions() {
    return this.picture?.doc.regions ?? [];
  }

  get turns() {
    return this.picture?.turns ?? [];
  }

  region(key) {
    return this.regions.find((region) => region.key === key);
  }

  named(name) {
    return this.regions.find((region) => region.name === name);
  }

  add(picture) {
    Object.assign(picture, { doc: { regions: [], fixes: new Map() }, turns: [], past: [], future: [], draft: null });
    this.pictures.push(picture);
    this.show(picture);
  }

  show(picture) {
    this.picture = picture;
    this.selected = this.marked = this.fixing = this.overlay = null;
    this.tell("picture");
  }

  close(picture) {
    const at = this.pictures.indexOf(picture);
    this.pictures.splice(at, 1);
    if (this.picture === picture) this.show(this.pictures[Math.min(at, this.pictures.length - 1)] ?? null);
    else this.tell("picture");
  }

  /** Change regions or corrections so that it can be undone; `change` gets a copy and may alter it. */
  edit(change) {
    const { picture } = this;
    const doc = { regions: [...picture.doc.regions], fixes: new Map(picture.doc.fixes) };
    change(doc);
    picture.past.push(picture.doc);
    if (picture.past.length > 200) picture.past.shift();
    picture.future = [];
    picture.doc = doc;
    this.tell();
  }

  undo() {
    this.#step("past", "future");
  }

  redo() {
    this.#step("future", "past");
  }

  #step(from, to) {
    const { picture } = this;
    if (!picture?.[from].length) return;
    picture[to].push(picture.doc);
    picture.doc = picture[from].pop();
    if (!this.region(this.selected)) this.selected = null;
    this.tell();
  }

  /** Add a region under the next free name and select it. */
  draw(kind, data) {
    const region = { key: this.newKey(), name: this.freeName(), kind, data };
    this.selected = region.key;
    this.edit((doc) => doc.regions.push(region));
    return region;
  }

  replace(region) {
    this.edit((doc) => {
      doc.regions = doc.regions.map((one) => (one.key === region.key ? region : one));
    });
  }

  remove(key) {
    if (this.selected === key) this.selected = null;
    this.edit((doc) => {
      doc.regions = doc.regions.filter((one) => one.key !== key);
    });
  }

  /** What is wrong with a name for a region, as a sentence; empty if nothing is. */
  rename(key, name) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(name)) {
      return "A name has letters, digits and _, and begins with no digit.";
    }
    const other = this.named(name);
    if (other && other.key !== key) return `There is a region ${name} already.`;
    const region = this.region(key);
    if (region.name !== name) this.replace({ ...region, name });
    return "";
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
    const same = mark?.slot === this.marked?.slot && mark?.span === this.marked?.span;
    if (same) return;
    this.marked = mark;
    this.tell("mark");
  }

  /** The answers that are shown on the picture: those of the turn that is marked or corrected, or the last. */
  shownSlots() {
    const wanted = this.fixing?.slot ?? this.marked?.slot;
    const turn = this.turns.findLast((t) => (wanted ? t.slots.includes(wanted) : t.slots.some((s) => s.spans.length)));
    return turn?.slots ?? [];
  }

  /** An answer as it stands: corrected, or as the system gave it. */
  spansOf(slot) {
    return this.picture?.doc.fixes.get(slot.key)?.spans ?? slot.spans;
  }

  textOf(slot) {
    return this.picture?.doc.fixes.get(slot.key)?.text ?? slot.text;
  }
}
