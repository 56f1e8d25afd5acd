// The shell of the page: the sign-in, the views, and what the fragment of the address says.

import { Stream, session, signIn, signOut } from './api.js';
import { button, el, notice } from './dom.js';
import { Status } from './status.js';

/** The names of the views and of their modules. */
const VIEWS = ['live', 'explain', 'metrics', 'exporters', 'events', 'flow', 'configuration', 'doctor'];

/** The classes of the views that the browser has loaded, by name. */
const loaded = new Map();

async function load(name) {
  const { default: View } = await import(`./${name}.js`);
  loaded.set(name, View);
}

const main = document.getElementById('main');
const nav = document.getElementById('views');
const state = document.getElementById('state');
const signOutButton = document.getElementById('sign-out');

const stream = new Stream();
const status = new Status(stream);
let view = null;
let connection = '';

/** Marks a moment of loading in the browser's timeline, once the browser has drawn. */
function mark(name) {
  if (performance.getEntriesByName(name).length > 0) return;
  requestAnimationFrame(() => setTimeout(() => performance.mark(name)));
}

/** What views may use of the page. */
const context = {
  stream,
  status,
  /** The event that Explain starts with. */
  event: null,
  /** Opens a view. The fragment is never sent to a server, and has no values of events
   * except those of the filter. */
  go(name, parameters = {}) {
    const query = new URLSearchParams(parameters).toString();
    location.hash = `#/${name}${query ? `?${query}` : ''}`;
  },
  explain(event, filter) {
    this.event = event;
    this.go('explain', { ...(filter ? { filter } : {}), of: 'event' });
  },
};

function route() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const name = VIEWS.includes(path) ? path : 'live';
  return { name, parameters: new URLSearchParams(query) };
}

/** Opens the view of the address. */
function open() {
  const { name, parameters } = route();
  const View = loaded.get(name);
  if (!View) {
    load(name).then(openAgain, () => main.replaceChildren(
      notice('The server does not have this view: it is down, or has another release.', 'error'),
      button('Load the page again', () => location.reload()),
    ));
    return;
  }
  view?.close();
  view = new View(context);
  document.title = `${view.title} – fantail`;
  for (const link of nav.children) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  main.replaceChildren(el('h1', {}, view.title), ...view.open(parameters));
  mark('view');
}

/** Opens the view of the address, if the browser is signed in. */
function openAgain() {
  if (!nav.hidden) open();
}

const CONNECTION = {
  open: '', connecting: 'connecting …', lost: 'no answer, retrying …', paused: 'paused',
};

function drawState() {
  state.textContent = connection || status.summary;
  state.classList.toggle('lost', connection === CONNECTION.lost);
}

function start() {
  stream.addEventListener('state', ({ detail }) => {
    connection = CONNECTION[detail];
    drawState();
  });
  status.addEventListener('change', () => {
    drawState();
    mark('status');
  });
  // The other views are there before the user asks for them.
  status.addEventListener('change', () => VIEWS.forEach((name) => load(name).catch(() => null)),
    { once: true });
  addEventListener('hashchange', openAgain);
  addEventListener('signed-out', () => askToken(true));
  signOutButton.addEventListener('click', async () => {
    await signOut().catch(() => null);
    location.reload();
  });
  document.querySelector('.skip').addEventListener('click', (event) => {
    // The fragment is the view's.
    event.preventDefault();
    main.focus();
  });
}

function show(known) {
  nav.hidden = !known.signed_in;
  signOutButton.hidden = !known.signed_in || !known.needs_token;
  if (known.signed_in) {
    open();
    stream.enable();
  } else {
    askToken(known.has_token);
  }
}

/** Asks for the token. */
function askToken(hasToken) {
  stream.disable();
  view?.close();
  view = null;
  nav.hidden = true;
  signOutButton.hidden = true;
  connection = '';
  document.title = 'Sign in – fantail';
  if (!hasToken) {
    main.replaceChildren(el('h1', {}, 'Sign in'), notice('This server has no token: the page '
      + 'is reached over the socket of --http-socket, or after a start with --http-token.'));
    return;
  }
  const said = el('p', { className: 'error', role: 'alert' });
  const input = el('input', {
    id: 'token', type: 'password', required: true, autocomplete: 'current-password',
  });
  const form = el('form', {
    className: 'sign-in',
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await signIn(input.value);
        show(await session());
      } catch (error) {
        said.textContent = error.message;
        input.select();
      }
    },
  },
  el('label', { for: 'token' }, 'Token'),
  el('input', { type: 'text', autocomplete: 'username', value: 'fantail', hidden: true }),
  input,
  el('button', { type: 'submit', className: 'primary' }, 'Sign in'),
  said,
  el('p', { className: 'muted' }, 'The token is in the file that --http-token names. It is '
    + 'exchanged for a session of 12 hours, and not stored in the browser.'));
  main.replaceChildren(el('h1', {}, 'Sign in'), form);
  input.focus();
}

start();
try {
  show(await session());
} catch (error) {
  main.replaceChildren(notice(error.message, 'error'));
}
