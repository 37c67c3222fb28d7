// A Fastify plugin with the limiter as admission control: await app.register(limiterPlugin, { maxQueued: 50 }).
// Needs `npm install fastify`.
import { ConcurrencyLimiter, LimitExceededError } from '../../dist/index.js';

export async function limiterPlugin(app, options) {
  const limiter = new ConcurrencyLimiter({ name: 'fastify', ...options });
  app.decorate('limiter', limiter);
  const permits = new WeakMap();
  app.addHook('onRequest', async (request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => {
      gone.abort();
      permits.get(request)?.release(reply.raw.writableFinished && reply.statusCode < 500 ? 'ok' : 'failed');
    });
    try {
      const permit = await limiter.acquire({ signal: gone.signal });
      if (gone.signal.aborted) permit.release('failed');
      else permits.set(request, permit);
    } catch (error) {
      if (!(error instanceof LimitExceededError)) throw error;
      await reply.code(503).header('retry-after', '1').send({ error: 'overloaded' });
    }
  });
}
// The hook is for the whole application, not for the plugin's own scope (what `fastify-plugin` does).
limiterPlugin[Symbol.for('skip-override')] = true;
