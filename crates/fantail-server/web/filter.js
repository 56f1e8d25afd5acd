// The filter box: a combobox with completion, and what is wrong with the filter.

import { get } from './api.js';
import { suggest } from './completion.js';
import { el } from './dom.js';

/** How long the page waits for the next key before it asks the server. */
const PAUSE_MS = 200;

/** The filters that a text of bytes [start, end) marks, as characters. */
function marked(text, [start, end]) {
  const all = new TextEncoder().encode(text);
  const decode = (from, to) => new TextDecoder().decode(all.slice(from, to));
  return [decode(0, start), decode(start, Math.max(end, start)), decode(end)];
}

function finding(text, { severity, code, message, at, notes }) {
  const parts = [el('p', {}, el('strong', { className: severity }, severity), ` ${message} `,
    el('code', { className: 'muted' }, code))];
  if (at) {
    const [before, middle, after] = marked(text, at);
    parts.push(el('pre', {}, before, el('mark', {}, middle || '⟂'), after));
  }
  for (const note of notes) parts.push(el('p', { className: 'muted' }, `${note.kind}: ${note.text}`));
  return el('li', {}, parts);
}

/** The box; `onapply` gets a filter without errors. */
export class FilterBox {
  #timer = 0;
  #checked = null;
  #options = [];
  #active = -1;

  constructor({ value, onapply, status }) {
    this.onapply = onapply;
    this.status = status;
    this.input = el('input', {
      id: 'filter', type: 'text', value, spellcheck: false, autocomplete: 'off',
      role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'suggestions',
      'aria-autocomplete': 'list', 'aria-describedby': 'findings',
      placeholder: 'event=imap_command_finished AND user=anna',
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
      onblur: () => this.#close(),
    });
    this.list = el('ul', {
      id: 'suggestions', role: 'listbox', 'aria-label': 'Suggestions', hidden: true,
    });
    this.findings = el('ul', { id: 'findings', className: 'findings', 'aria-live': 'polite' });
    const form = el('form', {
      className: 'filter', role: 'search',
      onsubmit: (event) => {
        event.preventDefault();
        this.apply();
      },
    },
    el('label', { for: 'filter' }, 'Filter'),
    el('div', { className: 'box' }, this.input, this.list),
    el('button', { type: 'submit', className: 'primary' }, 'Apply'));
    this.element = el('section', { 'aria-label': 'Filter' }, form, this.findings);
    if (value) this.#check();
  }

  get value() {
    return this.input.value.trim();
  }

  set value(value) {
    this.input.value = value;
  }

  /** Applies the filter, unless it has errors. */
  async apply() {
    clearTimeout(this.#timer);
    this.#close();
    const checked = this.value ? await this.#check() : null;
    if (!this.value || checked?.canonical) this.onapply(this.value);
  }

  #changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#check();
      this.#suggest();
    }, PAUSE_MS);
  }

  async #check() {
    const text = this.value;
    if (!text) {
      this.findings.replaceChildren();
      return null;
    }
    try {
      const checked = await get(`filter?${new URLSearchParams({ filter: text })}`);
      if (text !== this.value) return null;
      this.#checked = checked;
      this.input.setAttribute('aria-invalid', String(!checked.canonical));
      this.findings.replaceChildren(...checked.findings.map((one) => finding(text, one)));
      return checked;
    } catch (error) {
      this.findings.replaceChildren(el('li', { className: 'error' }, error.message));
      return null;
    }
  }

  async #suggest() {
    const { input } = this;
    if (document.activeElement !== input) return;
    const before = input.value.slice(0, input.selectionStart);
    const seen = this.status.now?.events.names.map(([name]) => name) ?? [];
    const found = await suggest(before, seen).catch(() => []);
    if (before !== input.value.slice(0, input.selectionStart)) return;
    this.#options = found;
    this.#active = -1;
    this.list.replaceChildren(...found.map(({ text }, at) => el('li', {
      role: 'option', id: `suggestion-${at}`, 'aria-selected': 'false',
      // Before the box loses the focus.
      onmousedown: (event) => {
        event.preventDefault();
        this.#take(at);
      },
    }, text)));
    this.#show(found.length > 0);
  }

  #show(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute('aria-expanded', String(isOpen));
    if (!isOpen) this.input.removeAttribute('aria-activedescendant');
  }

  #close() {
    this.#show(false);
    this.#active = -1;
  }

  #key(event) {
    const isOpen = !this.list.hidden;
    if (event.key === 'Escape' && isOpen) this.#close();
    else if (event.key === 'ArrowDown' && !isOpen) this.#suggest();
    else if (event.key === 'ArrowDown' && isOpen) this.#move(1);
    else if (event.key === 'ArrowUp' && isOpen) this.#move(-1);
    else if (event.key === 'Enter' && isOpen && this.#active >= 0) this.#take(this.#active);
    else return;
    event.preventDefault();
  }

  #move(step) {
    const count = this.#options.length;
    this.#active = (this.#active + step + count) % count;
    [...this.list.children].forEach((item, at) => {
      item.setAttribute('aria-selected', String(at === this.#active));
    });
    const active = this.list.children[this.#active];
    active.scrollIntoView({ block: 'nearest' });
    this.input.setAttribute('aria-activedescendant', active.id);
  }

  #take(at) {
    const { text, length } = this.#options[at];
    const { input } = this;
    const caret = input.selectionStart;
    input.setRangeText(text, caret - length, caret, 'end');
    this.#close();
    this.#changed();
  }
}

/** A comparison with a value, as it is written in a filter. */
export function comparison(field, value) {
  const text = String(value);
  const isPlain = /^[\w.:@-]+$/.test(text);
  // An asterisk in a value would match any text.
  const quoted = text.replace(/["\\*?]/g, '\\$&');
  return `${field}=${isPlain ? text : `"${quoted}"`}`;
}
