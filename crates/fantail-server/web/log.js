// The list of events, the newest first.

import { clock, el, micros } from './dom.js';

/** The most events of the list. */
const MAX_EVENTS = 500;

/** Fields that a row shows first. */
const FIRST = ['user', 'session', 'service', 'cmd_name', 'remote_ip', 'error', 'reason_code'];

/** The height of a row before there is one. */
const USUAL_HEIGHT = 27;

/** A row of the list. */
class Row {
  #time = el('time', {});
  #name = el('b', {});
  #took = el('span', { className: 'took' });
  #fields = el('span', { className: 'fields', dir: 'ltr' });
  #details = null;
  event = null;

  /** `details` returns what an open row shows of an event. */
  constructor(details) {
    this.element = el('details', { className: 'event' },
      el('summary', {}, this.#time, this.#name, this.#took, this.#fields));
    // Only rows that are opened have their details.
    this.element.addEventListener('toggle', () => {
      if (!this.element.open || this.#details) return;
      this.#details = details(this.event);
      this.element.append(this.#details);
    });
  }

  /** Shows an event in this row. */
  show(event) {
    if (event === this.event) return;
    const { fields = {} } = event;
    const names = Object.keys(fields);
    const order = [...FIRST.filter((name) => name in fields),
      ...names.filter((name) => !FIRST.includes(name) && name !== 'duration')];
    this.event = event;
    this.close();
    this.#time.textContent = clock(new Date(event.end_time ?? event.start_time));
    this.#name.textContent = event.event ?? '(no name)';
    this.#took.textContent = 'duration' in fields ? micros(fields.duration) : '';
    this.#fields.replaceChildren(...order.slice(0, 8).flatMap((name) => [
      el('span', { className: 'key' }, `${name}=`), `${short(fields[name])} `,
    ]));
  }

  close() {
    this.element.open = false;
    this.#details?.remove();
    this.#details = null;
  }
}

/**
 * The list. While events pass, it has only the rows that fit into its frame, and each row
 * keeps its place: another event changes what the rows say, so nothing moves and the page
 * has the same number of elements for any number of events. While it holds, it has a row for
 * each event, and takes no more: if the reader pauses it, scrolls down, opens a row, or is in
 * a row with the keyboard or the mouse.
 */
export class EventLog {
  #rows = el('div', {});
  /** The height of the events that have no row. */
  #older = el('div', {});
  #slots = [];
  /** The newest first. */
  #events = [];
  #isPaused = false;
  #isPressed = false;
  isHeld = false;

  /** `details` returns what an open row shows; `onhold` is called when the list begins or
   * ends to hold. */
  constructor({ details, onhold }) {
    this.details = details;
    this.onhold = onhold;
    this.element = el('div', {
      className: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Events, the newest first',
      tabIndex: 0,
      onscroll: () => this.#settle(),
      onfocusin: () => this.#settle(),
      // The focus has not moved yet.
      onfocusout: () => setTimeout(() => this.#settle()),
      onpointerdown: () => this.#press(true),
      onpointerup: () => this.#press(false),
      onpointercancel: () => this.#press(false),
    }, this.#rows, this.#older);
    // Rows tell of `toggle` in the capturing phase only.
    this.element.addEventListener('toggle', () => this.#settle(), true);
  }

  /** The events of the list, the oldest first. */
  get events() {
    return this.#events.toReversed();
  }

  /** Adds events, the oldest first. */
  add(events) {
    this.#events = [...events.toReversed(), ...this.#events].slice(0, MAX_EVENTS);
    this.#draw();
  }

  clear() {
    this.#events = [];
    this.#draw();
    this.#settle();
  }

  /** Holds until `resume`. */
  pause() {
    this.#isPaused = true;
    this.#hold(true);
  }

  /** Shows the newest events again. */
  resume() {
    this.#isPaused = false;
    this.#slots.forEach((row) => row.close());
    this.element.scrollTop = 0;
    this.#hold(false);
  }

  #press(isPressed) {
    // A row must not change between the press and the release of the button.
    this.#isPressed = isPressed;
    this.#settle();
  }

  /** Holds while the user reads. */
  #settle() {
    this.#hold(this.#isPaused || this.#isPressed || this.element.scrollTop > 0
      || this.#rows.contains(document.activeElement)
      || this.#rows.querySelector('[open]') !== null);
  }

  #hold(isHeld) {
    if (isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    this.#draw();
    this.onhold();
  }

  #draw() {
    const height = this.#slots[0]?.element.offsetHeight || USUAL_HEIGHT;
    const fitting = Math.ceil(this.element.clientHeight / height) + 1;
    const all = this.#events.length;
    const count = this.isHeld ? all : Math.min(all, fitting);
    while (this.#slots.length > count) this.#slots.pop().element.remove();
    const added = [];
    while (this.#slots.length < count) {
      const row = new Row(this.details);
      this.#slots.push(row);
      added.push(row.element);
    }
    this.#slots.forEach((row, at) => row.show(this.#events[at]));
    this.#rows.append(...added);
    this.#older.style.height = `${(all - count) * height}px`;
  }
}

/** A value of a row: cut, so that rows have one line. */
function short(value) {
  const whole = text(value);
  return whole.length > 80 ? `${whole.slice(0, 79)}…` : whole;
}

/** The value of a field as text. */
export function text(value) {
  return Array.isArray(value) ? value.join(', ') : String(value);
}
