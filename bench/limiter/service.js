// A plain http service in front of a backend with a limited capacity, for bench/limiter.js. Started by fork with the
// admission control to use: `none`, `fixed:N` or `gradient`. Every message is answered with the state of the limiter.
//
// The backend is one of real contention, not of waiting alone: it serves CAPACITY requests at once in SERVICE_MS each,
// later ones wait in its queue, and a request that it has begun it finishes, also where the client has gone. That
// is what makes overload waste work: a service that lets everybody in does late work for those who left.
import { createServer } from 'node:http';
import { ConcurrencyLimiter } from '../../dist/index.js';
import { limited } from '../../examples/limiter/http.js';

const [control, capacityText, serviceText] = process.argv.slice(2);
const CAPACITY = Number(capacityText);
const SERVICE_MS = Number(serviceText);

const waiting = [];
let busy = 0;
/** Serves as many at once as it can. Times vary by half, as those of a database do. */
function serve(done) {
  if (busy >= CAPACITY) {
    waiting.push(done);
    return;
  }
  busy += 1;
  setTimeout(
    () => {
      busy -= 1;
      done();
      const next = waiting.shift();
      if (next !== undefined) serve(next);
    },
    SERVICE_MS * (0.5 + Math.random()),
  );
}
const handler = (_, response) => serve(() => response.end('done'));

function admission() {
  if (control === 'none') return undefined;
  const [kind, limit] = control.split(':');
  if (kind === 'fixed') {
    // No window ever ends, so nothing is learnt.
    return new ConcurrencyLimiter({
      initialLimit: Number(limit),
      maxLimit: Number(limit),
      windowMs: Number.MAX_SAFE_INTEGER,
    });
  }
  return new ConcurrencyLimiter({ initialLimit: 20, maxLimit: 1_000 });
}

const limiter = admission();
const server = createServer(limiter === undefined ? handler : limited(limiter, handler));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ limit: limiter?.stats().limit ?? null, queued: waiting.length }));
process.on('disconnect', () => process.exit());
