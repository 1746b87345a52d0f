// The panel: channels with their states and buttons, and a look at one LUT.

import { ask, listen, putJson, Refused, setToken, streamPath } from './api.js';
import { chart, chartNames } from './charts.js';
import { Lut } from './lut.js';
import { presets } from './presets.js';
import { Preview } from './preview.js';
import { drawCurves, drawStrip, Lattice } from './views.js';

const $ = (id) => document.getElementById(id);
/**
 * So that looking costs the server little, a LUT is fetched at most this often, in milliseconds; less often where that takes
 * the server and the network long, up to the other one.
 */
const LOOK_GAP = 80;
const LONGEST_GAP = 250;
const GAP_FOR_FETCH = 30;
const STATES = { live: 'LIVE', held: 'HELD', bypassed: 'BYPASSED', identifying: 'IDENTIFY', 'no-signal': 'NO SIGNAL' };
const LOG_LINES = 200;

const channels = new Map();
let clockOffset = 0;
let chosen = null;

// ---- What goes wrong is said, and goes away again -----------------------------------------------------------------

let saidUntil;
function say(text) {
  $('said').textContent = text;
  $('said').hidden = false;
  clearTimeout(saidUntil);
  saidUntil = setTimeout(() => { $('said').hidden = true; }, 8000);
}

/** Runs what a button does; a refusal is shown. */
async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) $('token-form').hidden = false;
    say(error.message);
    return undefined;
  }
}

// ---- Channels -------------------------------------------------------------------------------------------------------

function span(seconds) {
  if (seconds < 100) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

function makeCard(stream) {
  const card = $('card').content.firstElementChild.cloneNode(true);
  const find = (part) => card.querySelector(part);
  const toggle = (what) => attempt(async () => {
    const button = find(`.${what}`);
    take(await putJson(streamPath(stream, what), { on: button.getAttribute('aria-pressed') !== 'true' }));
  });
  find('.bypass').addEventListener('click', () => toggle('bypass'));
  find('.hold').addEventListener('click', () => toggle('hold'));
  find('.identify').addEventListener('click', () => attempt(() => ask(streamPath(stream, 'identify'), { method: 'POST' })));
  find('.look').addEventListener('click', () => {
    choose(stream);
    $('inspector').scrollIntoView();
  });
  find('.load').addEventListener('change', (event) => {
    const [file] = event.target.files;
    if (file) load(stream, file);
    event.target.value = '';
  });
  find('.save').addEventListener('click', () => attempt(() => save(stream)));
  card.addEventListener('dragover', (event) => {
    event.preventDefault();
    card.classList.add('over');
  });
  card.addEventListener('dragleave', () => card.classList.remove('over'));
  card.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation();
    card.classList.remove('over');
    const [file] = event.dataTransfer.files;
    if (file) load(stream, file);
  });
  return card;
}

function load(stream, file) {
  const format = file.name.includes('.') ? file.name.split('.').pop().toLowerCase() : 'cube';
  return attempt(async () => {
    const path = `${streamPath(stream, 'lut')}?format=${encodeURIComponent(format)}`;
    const done = await (await ask(path, { method: 'PUT', body: file })).json();
    say([`${done.stream} has the ${done.grid_size}³ LUT of ${file.name}.`, ...done.notes].join(' '));
  });
}

async function save(stream) {
  const blob = await (await ask(streamPath(stream, 'lut.cube'))).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${stream.replace(/[^\w.-]/g, '_')}.cube`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Takes a channel's state, from an event or an answer. */
function take(state) {
  let channel = channels.get(state.stream);
  if (!channel) {
    channel = { card: makeCard(state.stream), counts: [] };
    channels.set(state.stream, channel);
    const order = [...channels.keys()].sort();
    $('channels').insertBefore(channel.card, channels.get(order[order.indexOf(state.stream) + 1])?.card ?? null);
    const option = new Option(state.stream, state.stream);
    $('of-channel').add(option, order.indexOf(state.stream));
    $('none').hidden = true;
  }
  const former = channel.state;
  channel.state = state;
  channel.counts.push([performance.now(), state.luts]);
  showChannel(channel);
  if (chosen === state.stream) presetList.channel(state);
  if (chosen === null) choose(state.stream);
  else if (chosen === state.stream && changesLook(former, state)) look();
}

const changesLook = (a, b) => !a || a.luts !== b.luts || a.revision !== b.revision;

/** LUTs a second, over the last two seconds. */
function rate(channel) {
  const now = performance.now();
  while (channel.counts.length > 1 && now - channel.counts[0][0] > 2000) channel.counts.shift();
  const [time, luts] = channel.counts[0];
  const passed = now - time;
  return passed < 200 ? 0 : ((channel.state.luts - luts) * 1000) / passed;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The ten numbers, each as short as it can be read. */
function cdlText(cdl) {
  if (!cdl) return 'none';
  const short = (values) => values.map((v) => Number(v.toPrecision(5))).join(' ');
  const [slope, offset, power] = [cdl.slope, cdl.offset, cdl.power].map(short);
  return `slope ${slope}, offset ${offset}, power ${power}, saturation ${short([cdl.saturation])}`;
}

function showChannel(channel) {
  const { card, state } = channel;
  card.dataset.state = state.state;
  setText(card.querySelector('h3'), state.channel ?? 'Channel without a name');
  setText(card.querySelector('.state'), STATES[state.state] ?? state.state);
  for (const what of ['bypass', 'hold']) card.querySelector(`.${what}`).setAttribute('aria-pressed', state[what]);
  const now = Date.now() / 1000 + clockOffset;
  const rows = [
    ['Stream', state.stream],
    ['Size', `${state.grid_size ?? '?'}³ as ${state.width}×${state.height}`],
    ['Layout', state.layout],
    ['Format', `${state.format}, ${state.transport}`],
    ['Receivers', state.receivers ?? '?'],
    ['Senders', state.source === 'sent' ? state.senders : `${state.senders} (LUT from ${state.source})`],
    ['Revision', state.revision],
    ['LUTs', `${state.luts}, ${rate(channel).toFixed(1)} a second`],
    ['Age', state.received === null ? '?' : span(now - state.received)],
    ['Latency', state.latency_us === null ? '?' : `${(state.latency_us / 1000).toFixed(2)} ms`],
    ['CDL', cdlText(state.cdl)],
  ];
  const list = card.querySelector('dl');
  rows.forEach(([name, value], i) => {
    if (!list.children[2 * i]) list.append(document.createElement('dt'), document.createElement('dd'));
    setText(list.children[2 * i], name);
    setText(list.children[2 * i + 1], String(value));
  });
}

setInterval(() => channels.forEach(showChannel), 500);

// ---- A look at one LUT ----------------------------------------------------------------------------------------------

const lattice = new Lattice($('lattice'));
let preview = null;
try {
  preview = new Preview($('preview'));
} catch (error) {
  $('preview-note').textContent = error.message;
}

const wipe = () => $('wipe').value / 1000;
const draw = () => preview && attempt(() => preview.draw(wipe()));

function choose(stream) {
  chosen = stream;
  $('of-channel').value = stream;
  $('inspector').hidden = false;
  $('presets-section').hidden = false;
  presetList.channel(channels.get(stream).state);
  look();
}

const presetList = presets({ attempt, chosen: () => chosen, take });

let looking = false;
let lookAgain = false;
/** Fetches the LUT, and again where it has changed meanwhile. */
async function look() {
  lookAgain = true;
  if (looking || document.hidden) return;
  looking = true;
  while (lookAgain) {
    lookAgain = false;
    let fetching = 0;
    await attempt(async () => {
      const begun = performance.now();
      const rgb = probed();
      // In one answer: asked for apart, it could be of another LUT.
      const colour = rgb.every(Number.isFinite) ? `&probe=${rgb}` : '';
      const lut = await Lut.of(await ask(`${streamPath(chosen, 'strip')}?of=${$('of-lut').value}${colour}`));
      fetching = performance.now() - begun;
      await show(lut, rgb);
    });
    const gap = Math.min(Math.max(LOOK_GAP, GAP_FOR_FETCH * fetching), LONGEST_GAP);
    await new Promise((done) => setTimeout(done, gap));
  }
  looking = false;
}
document.addEventListener('visibilitychange', () => !document.hidden && lookAgain && look());

async function show(lut, rgb) {
  preview?.setLut(lut);
  await draw();
  drawStrip($('strip'), lut);
  $('strip-note').textContent = `${lut.width}×${lut.height} texels, ${lut.size}³, ${lut.layout}`;
  const [low, high] = drawCurves($('curves'), lut);
  $('curves-note').textContent = `Values on the axis run from ${low} to ${high}.`;
  lattice.show(lut);
  if (String(rgb) === String(probed())) await compare(++probeNumber, rgb, lut.probed);
  else await probe();
  document.body.dataset.shown = lut.size;
}

const probed = () => ['probe-r', 'probe-g', 'probe-b'].map((id) => $(id).valueAsNumber);

let probeNumber = 0;
async function probe() {
  const rgb = probed();
  const number = ++probeNumber;
  if (chosen === null || rgb.some((v) => !Number.isFinite(v))) return;
  const [r, g, b] = rgb;
  const path = `${streamPath(chosen, 'probe')}?r=${r}&g=${g}&b=${b}&of=${$('of-lut').value}`;
  await compare(number, rgb, await attempt(async () => (await (await ask(path)).json()).out));
}

/** Shows what the shader and the reference make of a colour, unless another has been asked for since. */
async function compare(number, rgb, reference) {
  const shader = preview ? await preview.probe(rgb) : null;
  if (number !== probeNumber || !reference) return;
  const shown = (value) => (value === undefined ? '–' : String(Number(Math.fround(value).toPrecision(9))));
  const rows = [
    [0, 1, 2].map((c) => shown(shader?.[c])),
    [0, 1, 2].map((c) => shown(reference[c])),
    [0, 1, 2].map((c) => (shader ? (shader[c] - Math.fround(reference[c])).toExponential(1) : '–')),
  ];
  $('probe-out').querySelectorAll('tbody tr').forEach((row, i) => {
    row.querySelectorAll('td').forEach((cell, c) => setText(cell, rows[i][c]));
  });
}

for (const id of ['probe-r', 'probe-g', 'probe-b']) $(id).addEventListener('input', probe);
for (const name of chartNames) $('chart').add(new Option(name, name));
$('chart').addEventListener('change', () => {
  preview?.setPicture(chart($('chart').value));
  draw();
});
preview?.setPicture(chart(chartNames[0]));
$('wipe').addEventListener('input', draw);
$('of-channel').addEventListener('change', () => choose($('of-channel').value));
$('of-lut').addEventListener('change', look);
$('preview').addEventListener('click', (event) => {
  const box = $('preview').getBoundingClientRect();
  const rgb = preview?.pick((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  if (!rgb) return;
  ['probe-r', 'probe-g', 'probe-b'].forEach((id, c) => { $(id).value = rgb[c]; });
  probe();
});

/** A picture of the user's goes to the graphics card of this computer, and nowhere else. */
function ownPicture(file) {
  return attempt(async () => {
    const options = { imageOrientation: 'flipY', colorSpaceConversion: 'none', premultiplyAlpha: 'none' };
    const whole = await createImageBitmap(file, options);
    const scale = Math.min(1, 2048 / Math.max(whole.width, whole.height));
    const size = { resizeWidth: Math.round(whole.width * scale), resizeHeight: Math.round(whole.height * scale) };
    preview?.setPicture(scale < 1 ? await createImageBitmap(file, { ...options, ...size }) : whole);
    await draw();
  });
}
$('picture').addEventListener('change', (event) => {
  const [file] = event.target.files;
  if (file) ownPicture(file);
});

// A LUT that is dropped beside the cards is for the channel that is looked at; a picture is to be looked at.
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (!file) return;
  if (file.type.startsWith('image/')) ownPicture(file);
  else load(chosen ?? baseStream, file);
});

// ---- What the server tells --------------------------------------------------------------------------------------------

let baseStream = 'OpenGradeIO-LUT';
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString('en-GB');

const takers = {
  server(data) {
    baseStream = data.base_stream;
    clockOffset = data.now - Date.now() / 1000;
    $('server').textContent = `version ${data.version}, streams over ${data.transport}, up for ${span(data.uptime_seconds)}`;
    $('server').classList.remove('lost');
    document.body.classList.remove('stale');
    $('token-form').hidden = true;
    $('log').replaceChildren();
  },
  channel: take,
  presets: (list) => presetList.list(list),
  clients(list) {
    $('no-clients').hidden = list.length > 0;
    $('clients').replaceChildren(...list.map((client) => {
      const row = document.createElement('li');
      const since = client.since === null ? '' : `, since ${clock(client.since)}`;
      row.textContent = `${client.address}${since}${client.has_sent ? '' : ' (has sent nothing yet)'}`;
      return row;
    }));
  },
  log(line) {
    const row = document.createElement('li');
    const time = document.createElement('time');
    time.textContent = clock(line.time);
    row.append(time, line.text);
    row.className = line.level;
    $('log').prepend(row);
    if ($('log').children.length > LOG_LINES) $('log').lastElementChild.remove();
  },
};

async function follow() {
  for (;;) {
    try {
      await listen((name, data) => takers[name]?.(data));
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        $('server').textContent = error.message;
        $('token-form').hidden = false;
        return;
      }
    }
    $('server').textContent = 'the server does not answer; what is shown is old';
    $('server').classList.add('lost');
    document.body.classList.add('stale');
    await new Promise((done) => setTimeout(done, 1000));
  }
}

$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  setToken($('token').value.trim());
  $('token-form').hidden = true;
  follow();
});
follow();
