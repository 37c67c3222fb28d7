import { createServer } from 'node:http';
import driver from '../driver.cjs';

const people = new Map(
  Array.from({ length: 500 }, (_, i) => [String(i), { id: String(i), name: `P ${i}`, boss: String(i >> 1) }]),
);
const fields = {
  name: (person) => person.name,
  boss: (person) => people.get(person.boss)?.name ?? null,
  team: (person) =>
    [...people.values()]
      .slice(0, 8)
      .filter(({ boss }) => boss === person.boss)
      .map(({ id }) => id),
};
const resolve = async (person, wanted) =>
  Object.fromEntries(await Promise.all(wanted.map(async (field) => [field, await fields[field]?.(person)])));
const parse = (url) => {
  const [, id = '1', wanted = 'name'] = url.split('/');
  return { id, wanted: wanted.split(',') };
};
const server = createServer(async (request, response) => {
  const { id, wanted } = parse(request.url);
  const person = people.get(id) ?? people.get('1');
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ data: await resolve(person, wanted) }));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 900, paths: ['/3/name,boss', '/77/name,team', '/410/boss,team,name'] });
