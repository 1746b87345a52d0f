// The server's API, as docs/api.md describes it.

const ROOT = 'api/v1/';

function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem('token', given);
    history.replaceState(null, '', location.pathname);
  }
}
takeToken();

export function setToken(token) {
  sessionStorage.setItem('token', token);
}

/** Why the server said no. */
export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

export async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const token = sessionStorage.getItem('token');
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(ROOT + path, { ...options, headers, cache: 'no-store' });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, said.error ?? `the server answered ${answer.status}`);
  }
  return answer;
}

export function streamPath(stream, part = '') {
  return `channels/${encodeURIComponent(stream)}${part && '/'}${part}`;
}

export async function putJson(path, value) {
  const headers = { 'Content-Type': 'application/json' };
  return (await ask(path, { method: 'PUT', headers, body: JSON.stringify(value) })).json();
}

/** Calls `take(name, data)` for each event until the server or the network ends it. */
export async function listen(take) {
  const answer = await ask('events');
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1];
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (name && data) take(name, JSON.parse(data));
    }
  }
}
