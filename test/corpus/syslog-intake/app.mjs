import { fork } from 'node:child_process';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const counts = new Map();
const recent = [];

/** "app server: message" or "app server[pid]: message" */
function parseHeader(line) {
  const match = /^((?:[\w-]+ ?)+)(?:\[(\d+)\])?: (.*)$/.exec(line);
  if (match === null) return { program: 'unknown', pid: null, message: line };
  return { program: match[1], pid: match[2] ?? null, message: match[3] };
}

function parsePriority(line) {
  const end = line.indexOf('>');
  const priority = Number(line.slice(1, end));
  return { severity: SEVERITIES[priority & 7], facility: priority >> 3, rest: line.slice(end + 1) };
}

function keep(entry) {
  recent.push(entry);
  if (recent.length > 500) recent.shift();
  const key = `${entry.program}/${entry.severity}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function intake(line) {
  if (!line.startsWith('<')) return;
  const { severity, facility, rest } = parsePriority(line);
  keep({ at: Date.now(), severity, facility, ...parseHeader(rest) });
}

const server = net.createServer((socket) => {
  const lines = createInterface({ input: socket, crlfDelay: Infinity });
  lines.on('line', intake);
  socket.on('error', () => lines.close());
});

server.listen(0, '127.0.0.1', () => {
  const env = { ...process.env };
  for (const name in env) if (name === 'NODE_OPTIONS' || name.startsWith('SYSOPT')) delete env[name];
  const hosts = fork(fileURLToPath(new URL('hosts.cjs', import.meta.url)), [String(server.address().port)], {
    env,
    execArgv: [],
    stdio: 'ignore',
  });
  process.once('exit', () => hosts.kill('SIGKILL'));
});
setInterval(() => {
  if (counts.size > 1000) counts.clear();
}, 10_000).unref();
