// The view Configuration: what is in force, as the server understands it.

import { get } from './api.js';
import { finding } from './doctor.js';
import { el, facts, notice } from './dom.js';

export default class Configuration {
  title = 'Configuration';

  constructor(context) {
    this.context = context;
  }

  open() {
    this.body = el('div', {}, el('p', { className: 'muted' }, 'loading …'));
    this.#load();
    return [this.body];
  }

  close() {}

  async #load() {
    try {
      const [known, { findings }] = await Promise.all([get('configuration'), get('findings')]);
      const own = findings.filter(({ code }) => !code.startsWith('doctor/'));
      this.body.replaceChildren(
        facts([
          ['Dovecot', known.dialect],
          ['base_dir', known.base_dir],
          ['Exporters', known.exporters.join(', ') || 'none'],
        ]),
        el('h2', {}, 'Findings of fantail check'),
        own.length > 0 ? el('ul', { className: 'findings' }, own.map(finding))
          : notice('No errors and no warnings.'),
        el('h2', {}, 'Metrics'),
        el('pre', { tabIndex: 0, 'aria-label': 'The metrics in force' }, known.metrics_as_text),
        el('h2', {}, 'Filter that Dovecot’s processes get'),
        el('pre', { tabIndex: 0, 'aria-label': 'The filter' }, known.filter_sent_to_clients
          || 'none: no event is asked for'));
    } catch (error) {
      this.body.replaceChildren(notice(error.message, 'error'));
    }
  }
}
