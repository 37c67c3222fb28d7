import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

/** Middle layers in the style of Koa: each gets the context and what comes after it. */
const compose = (layers) => (context) => {
  const run = (index) => (index === layers.length ? undefined : layers[index](context, () => run(index + 1)));
  return run(0);
};

const timing = async (context, next) => {
  const begin = performance.now();
  await next();
  context.headers['server-timing'] = `app;dur=${(performance.now() - begin).toFixed(1)}`;
};

const bodyParser = async (context, next) => {
  const chunks = [];
  for await (const chunk of context.request) chunks.push(chunk);
  context.payment = JSON.parse(Buffer.concat(chunks).toString());
  await next();
};

function idempotency() {
  const outcomes = new Map();

  function rememberOutcome(key, payment, status) {
    const lines = payment.items.map((item) => ({ ...item, total: item.price * item.quantity }));
    outcomes.set(key, { key, payment, lines, status, answeredAt: new Date() });
  }

  return async (context, next) => {
    const key = context.request.headers['idempotency-key'] ?? randomUUID();
    const known = outcomes.get(key);
    if (known !== undefined) {
      context.status = known.status;
      return;
    }
    await next();
    rememberOutcome(key, context.payment, context.status);
  };
}

const charge = async (context) => {
  const amount = context.payment.items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  context.status = amount > 0 ? 201 : 422;
  context.body = { amount, currency: context.payment.currency };
};

const handle = compose([timing, bodyParser, idempotency(), charge]);
const server = createServer(async (request, response) => {
  const context = { request, headers: {}, status: 404, body: null };
  try {
    await handle(context);
  } catch (error) {
    context.status = 400;
    context.body = { error: error.message };
  }
  response.writeHead(context.status, context.headers);
  response.end(JSON.stringify(context.body));
}).listen(0, '127.0.0.1');

const items = Array.from({ length: 24 }, (_, i) => ({
  sku: `sku-${i}`,
  price: 1.5 + i,
  quantity: 1 + (i % 3),
}));
driver.drive(server, { ratePerSecond: 130, body: JSON.stringify({ currency: 'EUR', items }) });
