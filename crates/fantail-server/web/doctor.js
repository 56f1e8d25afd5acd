// The view Doctor: what is wrong, as far as the server itself can know.

import { get } from './api.js';
import { button, el, notice } from './dom.js';

/** One finding of the server. */
export function finding({ severity, code, message, at, notes }) {
  const place = at ? `${at.file}:${at.line}:${at.column}` : null;
  return el('li', {},
    el('p', {}, el('strong', { className: severity }, severity), ` ${message} `,
      el('code', { className: 'muted' }, code)),
    place ? el('p', { className: 'muted' }, place) : null,
    notes.map((note) => el('p', { className: 'muted' }, `${note.kind}: ${note.text}`)));
}

export default class Doctor {
  title = 'Doctor';

  constructor(context) {
    this.context = context;
  }

  open() {
    this.list = el('div', { 'aria-live': 'polite' });
    this.#load();
    return [
      el('div', { className: 'tools' }, button('Look again', () => this.#load()),
        el('p', { className: 'muted' }, 'What the server knows itself. fantail doctor, run as '
          + 'root, looks at sockets, processes and logs, too.')),
      this.list,
    ];
  }

  close() {}

  async #load() {
    try {
      const { findings } = await get('findings');
      this.list.replaceChildren(findings.length > 0
        ? el('ul', { className: 'findings' }, findings.map(finding))
        : notice('Nothing is wrong.'));
    } catch (error) {
      this.list.replaceChildren(notice(error.message, 'error'));
    }
  }
}
