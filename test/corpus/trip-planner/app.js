import { createServer } from 'node:http';
import { startDownstream } from '../downstream.js';
import driver from '../driver.cjs';

class StationClient {
  #origin;
  #cache = new Map();

  constructor(port) {
    this.#origin = `http://127.0.0.1:${port}`;
  }

  async departures(station) {
    const response = await fetch(`${this.#origin}/stations/${encodeURIComponent(station)}/departures`);
    if (!response.ok) throw new Error(`departures of ${station}: ${response.status}`);
    return response.json();
  }

  label(station) {
    if (!this.#cache.has(station)) this.#cache.set(station, station.toUpperCase());
    return this.#cache.get(station);
  }
}

class TripPlanner {
  constructor(stations) {
    this.stations = stations;
  }

  async plan(stops) {
    const legs = [];
    for (const stop of stops) {
      const board = await this.stations.departures(stop);
      legs.push({ stop: this.stations.label(stop), next: board.name });
    }
    return legs;
  }
}

const LINES = {
  west: ['Wien', 'St. Poelten', 'Amstetten', 'Linz', 'Wels', 'Attnang', 'Salzburg', 'Innsbruck'],
  south: ['Wien', 'Baden', 'Wiener Neustadt', 'Semmering', 'Bruck', 'Leoben', 'Klagenfurt', 'Villach'],
};

const planner = new TripPlanner(new StationClient(await startDownstream({ delayMs: 28 })));
const server = createServer(async (request, response) => {
  const stops = LINES[request.url.slice('/trips/'.length)];
  if (stops === undefined) return response.writeHead(404).end();
  try {
    const legs = await planner.plan(stops);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(legs));
  } catch (error) {
    response.writeHead(502).end(error.message);
  }
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 12, paths: ['/trips/west', '/trips/south'] });
