// Consumes patient records from a queue and stores them encrypted, each tenant under its own key.
import { createCipheriv, createHmac, randomBytes, scryptSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const MASTER = randomBytes(32);
const stored = new Map();

function keyFor(tenant) {
  const salt = createHmac('sha256', MASTER).update(tenant).digest();
  return scryptSync(MASTER, salt, 32, { N: 4096, r: 8, p: 1 });
}

function seal({ tenant, id, ...fields }) {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyFor(tenant), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(fields), 'utf8'), cipher.final()]);
  return { tenant, id, iv, tag: cipher.getAuthTag(), sealed };
}

async function* poll() {
  for (let offset = 0; ; offset += 1) {
    await sleep(28);
    yield {
      tenant: `clinic-${offset % 9}`,
      id: offset,
      name: 'Ada Lovelace',
      born: '1815-12-10',
      notes: 'seen on the ward; to come again in a week. '.repeat(20),
    };
  }
}

function validate(record) {
  if (!/^clinic-\d+$/.test(record.tenant)) throw new TypeError('no such tenant');
  if (!Number.isSafeInteger(record.id)) throw new TypeError('no id');
  return record;
}

async function commit(row) {
  stored.set(row.id % 500, row);
  await sleep(1);
}

for await (const record of poll()) {
  try {
    await commit(seal(validate(record)));
  } catch (error) {
    console.error('dead letter', record.id, error.message);
  }
}
