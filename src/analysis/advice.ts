/** What to do about each cause: one change for a person to make, as a short example and a page of the guide. */
import type { Cause } from '../model/finding.js';

export interface CodeAdvice {
  readonly summary: string;
  readonly before: string;
  readonly after: string;
  readonly guide: string;
}

const page = (cause: Cause) => `docs/guide-causes.md#${cause}`;

/** Causes that no change to the code answers have no entry. */
export const CODE_ADVICE: Partial<Record<Cause, CodeAdvice>> = {
  'sync-cpu': {
    summary:
      'Do less work in one turn of the loop: keep what can be kept, choose a cheaper algorithm, or move the work to a thread.',
    before: `app.get('/report', (request, response) => {\n  response.end(render(summarise(orders)));   // every request walks all orders\n});`,
    after: `const summarise = defineTask(import.meta.url, 'summariseOrders');\napp.get('/report', async (request, response) => {\n  response.end(render(await pool.run(summarise, [range])));\n});`,
    guide: page('sync-cpu'),
  },
  'json-processing': {
    summary: 'Parse or write the text once and keep the result, send less, or do it in a thread.',
    before: `function settings() {\n  return JSON.parse(text);               // every call parses all of it\n}`,
    after: `const parsed = JSON.parse(text);         // once; again only when the text changes\nfunction settings() {\n  return parsed;\n}`,
    guide: page('json-processing'),
  },
  'regexp-backtracking': {
    summary:
      'Write the pattern so that a text can match in one way only, and bound the length of what is matched.',
    before: `/^(\\w+\\s?)*$/.test(text)                // each word can be cut in many ways`,
    after: `text.length <= 1000 && /^\\w+(?:\\s\\w+)*\\s?$/.test(text)`,
    guide: page('regexp-backtracking'),
  },
  'sync-fs': {
    summary: 'Read once and keep it, or use the asynchronous call.',
    before: `const template = readFileSync(path, 'utf8');   // in every request`,
    after: `const template = await readFile(path, 'utf8'); // or once, when the program starts`,
    guide: page('sync-fs'),
  },
  'sync-child-process': {
    summary: 'Start the child without waiting for it on the loop, or do its work in the process.',
    before: `const out = execSync('git rev-parse HEAD');`,
    after: `const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD']);`,
    guide: page('sync-child-process'),
  },
  'sync-crypto': {
    summary: 'Use the asynchronous form, which runs in the thread pool.',
    before: `const key = scryptSync(password, salt, 64);`,
    after: `const key = await promisify(scrypt)(password, salt, 64);`,
    guide: page('sync-crypto'),
  },
  'sync-zlib': {
    summary: 'Use the asynchronous form or a stream, which run in the thread pool.',
    before: `response.end(gzipSync(body));`,
    after: `response.end(await promisify(gzip)(body));`,
    guide: page('sync-zlib'),
  },
  'deoptimisation-loop': {
    summary:
      'Let the function see one kind of value, and make functions once, not for every call: V8 keeps what it has learnt with the function.',
    before: `const score = new Function('row', source);   // for every request\nreturn rows.map(score);`,
    after: `const scorers = new Map();                   // made once for each source\nconst score = scorers.get(source) ?? remember(source, new Function('row', source));\nreturn rows.map(score);`,
    guide: page('deoptimisation-loop'),
  },
  'heap-fragmentation': {
    summary:
      'Keep what lives long apart from what dies soon: copy small survivors out of large blocks, and take buffers of many sizes from a slab pool.',
    before: `kept.push(body.subarray(0, 16));             // holds all of body`,
    after: `kept.push(Buffer.from(body.subarray(0, 16))); // or a slot of a SlabPool`,
    guide: page('heap-fragmentation'),
  },
  'exception-storm': {
    summary: 'Return a value for what is expected to happen, and throw only for what is not.',
    before: `try { return find(id); } catch { return fallback; }   // find() throws for every miss`,
    after: `return find(id) ?? fallback;                           // find() returns undefined`,
    guide: page('exception-storm'),
  },
  'megamorphic-access': {
    summary:
      'Give the objects that one place reads one shape: all fields, in one order, set where they are made.',
    before: `const order = { id };\nif (note) order.note = note;             // another shape for every combination`,
    after: `const order = { id, note: note ?? null, discount: discount ?? 0 };`,
    guide: page('megamorphic-access'),
  },
  'timer-flood': {
    summary: 'Use one timer for all: a list of deadlines, looked at once per tick.',
    before: `for (const session of sessions) setTimeout(() => expire(session), 1000);`,
    after: `setInterval(() => expireDue(sessions, Date.now()), 1000);`,
    guide: page('timer-flood'),
  },
  'microtask-flood': {
    summary: 'Work in batches and let the loop come round between them.',
    before: `for (const row of rows) await handle(row);   // resolved promises never leave the microtask queue`,
    after: `for (const batch of batches) {\n  for (const row of batch) handle(row);\n  await setImmediatePromise();\n}`,
    guide: page('microtask-flood'),
  },
  'allocation-churn': {
    summary: 'Keep and reuse what is made over and over: a pool, a buffer, or records in one typed array.',
    before: `const point = { x, y };                  // one object for every event`,
    after: `const slot = pool.acquire();             // the same memory, again and again\npool.release(slot);`,
    guide: page('allocation-churn'),
  },
  'heap-near-limit': {
    summary: 'Hold less at once: stream, page, or keep records outside the heap.',
    before: `const rows = await readAll();            // everything at once`,
    after: `for await (const row of readRows()) handle(row);`,
    guide: page('heap-near-limit'),
  },
  'heap-leak': {
    summary: 'Bound what the function keeps, or drop it when it is done with.',
    before: `cache.set(key, value);                   // and never deleted`,
    after: `cache.set(key, value);\nif (cache.size > limit) cache.delete(cache.keys().next().value);`,
    guide: page('heap-leak'),
  },
  'listener-leak': {
    summary: 'Remove the listener when its owner goes, or add it once.',
    before: `emitter.on('change', refresh);           // in every request`,
    after: `emitter.on('change', refresh);\nresponse.once('close', () => emitter.off('change', refresh));`,
    guide: page('listener-leak'),
  },
  'external-leak': {
    summary: 'Drop buffers when they are sent, and copy small parts out of large ones that are kept.',
    before: `kept.push(chunk.subarray(0, 16));        // keeps all of the chunk alive`,
    after: `kept.push(Buffer.from(chunk.subarray(0, 16)));`,
    guide: page('external-leak'),
  },
  'fresh-page-faults': {
    summary: 'Take the memory once and use it again.',
    before: `const work = new Float64Array(1e6);      // in every call`,
    after: `const work = new Float64Array(1e6);      // once, outside; fill(0) where it must be empty`,
    guide: page('fresh-page-faults'),
  },
  saturated: {
    summary: 'Add processes or threads: no single function explains the load.',
    before: `createServer(handler).listen(port);`,
    after: `if (cluster.isPrimary) for (let i = 0; i < availableParallelism(); i += 1) cluster.fork();\nelse createServer(handler).listen(port);`,
    guide: page('saturated'),
  },
  'cpu-throttling': {
    summary: 'Raise the container’s CPU quota, or give the program fewer threads than the quota has CPUs.',
    before: `resources: { limits: { cpu: 500m } }`,
    after: `resources: { limits: { cpu: "2" } }`,
    guide: page('cpu-throttling'),
  },
  'memory-pressure': {
    summary: 'Raise the container’s memory limit, or keep the heap well below it.',
    before: `node app.js                              # the heap may grow past the container`,
    after: `node --max-old-space-size=<3/4 of the limit in MiB> app.js`,
    guide: page('memory-pressure'),
  },
  'noisy-neighbour': {
    summary:
      'Move the other processes to another host; where there is more than one CPU, keep them off one of them and give that one to this program.',
    before: `node app.js                              # and the others wherever the kernel puts them`,
    after: `taskset -c 0 node app.js                 # and the others with taskset -c 1, or 1-3 where there are four CPUs`,
    guide: page('noisy-neighbour'),
  },
  'cpu-steal': {
    summary: 'Use an instance type whose CPUs are not shared, or another host.',
    before: `a shared or burstable instance`,
    after: `an instance with dedicated CPUs`,
    guide: page('cpu-steal'),
  },
  'disk-iowait': {
    summary: 'Read less, keep what was read, or move to a faster disk; keep disk work off the loop.',
    before: `const data = readFileSync(path);`,
    after: `const data = await cache.get(path, () => readFile(path));`,
    guide: page('disk-iowait'),
  },
  'threadpool-saturation': {
    summary:
      'Give the pool as many threads as the CPUs can feed, take the heavy work out of it, or do less of it at once.',
    before: `node app.js                                # four threads for files, names, crypto and zlib`,
    after: `UV_THREADPOOL_SIZE=16 node app.js         # or: run the hashing in a pool of worker threads`,
    guide: page('threadpool-saturation'),
  },
  'worker-oversubscription': {
    summary: 'Start as many workers as there are CPUs, and queue what is left.',
    before: `for (const job of jobs) new Worker('./job.js', { workerData: job });`,
    after: `const pool = new ThreadPool({ maxThreads: availableParallelism() });\nawait Promise.all(jobs.map((job) => pool.run(work, [job])));`,
    guide: page('worker-oversubscription'),
  },
  'lock-contention': {
    summary:
      'Hold the lock for less, split what it guards, or give each thread a part of its own and add them up at the end.',
    before: `acquire(lock);\nfor (const value of values) total[0] += value;   // all of the work under the lock\nrelease(lock);`,
    after: `let sum = 0;\nfor (const value of values) sum += value;\nAtomics.add(total, 0, sum);                      // one step for all`,
    guide: page('lock-contention'),
  },
  'slow-downstream': {
    summary:
      'Make the other service faster, ask it for less, keep its answers for a while, and bound the wait.',
    before: `const user = await fetch(url);                   // 220 ms, in every request`,
    after: `const user = await cache.get(url, () => fetch(url, { signal: AbortSignal.timeout(500) }));`,
    guide: page('slow-downstream'),
  },
  'serial-awaits': {
    summary:
      'Start the calls together and await them together; bound how many run at once where there are many.',
    before: `const user = await ask(\`users/\${id}\`);\nconst orders = await ask(\`orders/\${id}\`);`,
    after: `const [user, orders] = await Promise.all([ask(\`users/\${id}\`), ask(\`orders/\${id}\`)]);`,
    guide: page('serial-awaits'),
  },
  'no-keep-alive': {
    summary: 'Use one agent that keeps its connections for all requests to a host.',
    before: `get({ host, path, agent: new Agent({ keepAlive: false }) });`,
    after: `const agent = new Agent({ keepAlive: true });    // once\nget({ host, path, agent });`,
    guide: page('no-keep-alive'),
  },
  'slow-dns': {
    summary:
      'Put the resolver that answers first, keep connections so that fewer names are looked up, or keep the answers.',
    before: `get({ host: 'rates.internal', headers: { connection: 'close' } });   // a look-up each time`,
    after: `get({ host: 'rates.internal', agent: keepAliveAgent, lookup: cachedLookup });`,
    guide: page('slow-dns'),
  },
  'backpressure-ignored': {
    summary: 'Wait for `drain` where `write` returns false, or let `pipeline` do it.',
    before: `for (const row of rows) socket.write(row);`,
    after: `await pipeline(Readable.from(rows), socket);`,
    guide: page('backpressure-ignored'),
  },
  'descriptor-exhaustion': {
    summary: 'Close what is opened, on every path; `await using` or `finally` sees to it.',
    before: `const file = await open(path);\nreturn (await file.read(buffer)).bytesRead;      // never closed`,
    after: `await using file = await open(path);\nreturn (await file.read(buffer)).bytesRead;`,
    guide: page('descriptor-exhaustion'),
  },
};
