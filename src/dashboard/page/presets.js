// Presets: LUTs under names, for the channel that is looked at.

import { ask, putJson, streamPath } from './api.js';

const $ = (id) => document.getElementById(id);
const path = (name, part = '') => `presets/${encodeURIComponent(name)}${part}`;

/**
 * `attempt` runs what a button does, `chosen` tells the channel's stream, `take` takes its state.
 * Returns what takes the list of presets, and the state of the channel.
 */
export function presets({ attempt, chosen, take }) {
  let list = [];
  let state = null;

  const post = async (part, body) => {
    const headers = { 'Content-Type': 'application/json' };
    take(await (await ask(streamPath(chosen(), part), { method: 'POST', headers, body: JSON.stringify(body) })).json());
  };

  $('preset-form').addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(async () => {
      await putJson(path($('preset-name').value), { stream: chosen() });
      $('preset-name').value = '';
    });
  });
  $('nudge').addEventListener('click', () => attempt(() => post('nudge', { a: $('nudge-a').value, b: $('nudge-b').value })));
  $('start').addEventListener('change', () => attempt(async () => {
    const value = $('start').value;
    const start = value.startsWith('preset:') ? { preset: value.slice(7) } : value;
    take(await putJson(streamPath(chosen(), 'start'), { start }));
  }));

  function row(preset) {
    const item = document.createElement('li');
    const name = document.createElement('span');
    name.textContent = `${preset.name} (${preset.grid_size}³)`;
    const button = (text, label, work) => {
      const made = document.createElement('button');
      made.textContent = text;
      made.setAttribute('aria-label', `${label} ${preset.name}`);
      made.addEventListener('click', () => attempt(work));
      return made;
    };
    const recall = button('Recall', 'Recall', async () => {
      take(await putJson(streamPath(chosen(), 'preset'), { name: preset.name }));
    });
    recall.className = 'recall';
    recall.dataset.name = preset.name;
    const rename = button('Rename', 'Rename', async () => {
      const given = window.prompt('New name', preset.name);
      if (given) await putJson(path(preset.name, '/name'), { name: given });
    });
    const remove = button('Delete', 'Delete', async () => {
      if (window.confirm(`Delete the preset ${preset.name}?`)) await ask(path(preset.name), { method: 'DELETE' });
    });
    item.append(name, recall, rename, remove);
    return item;
  }

  function options(select, entries) {
    const value = select.value;
    select.replaceChildren(...entries.map(([key, text]) => new Option(text, key)));
    if (entries.some(([key]) => key === value)) select.value = value;
  }

  function mark() {
    if (!state) return;
    for (const button of $('presets').querySelectorAll('.recall')) {
      button.setAttribute('aria-pressed', button.dataset.name === state.preset);
    }
    const start = state.start;
    $('start').value = start === null ? 'last' : start.preset === undefined ? start : `preset:${start.preset}`;
    for (const part of $('presets-section').querySelectorAll('button, select, input')) part.disabled = start === null;
    $('presets-none').hidden = start !== null;
  }

  return {
    list(now) {
      list = now;
      $('presets').replaceChildren(...list.map(row));
      const names = list.map((preset) => [preset.name, preset.name]);
      options($('nudge-a'), names);
      options($('nudge-b'), names);
      if (list.length > 1 && $('nudge-a').value === $('nudge-b').value) $('nudge-b').selectedIndex = 1;
      options($('start'), [['last', 'the last LUT'], ['identity', 'the identity'],
        ...list.map((preset) => [`preset:${preset.name}`, `preset ${preset.name}`])]);
      mark();
    },
    channel(now) {
      state = now;
      $('presets-title').textContent = `Presets, for ${now.stream}`;
      mark();
    },
  };
}
