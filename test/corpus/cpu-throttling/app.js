import { serveUnderLoad } from '../load.js';

const rows = Array.from({ length: 60 }, (_, id) => ({ id, name: `row ${id}` }));

// Nothing is wrong with it but the third of a CPU that it is given.
serveUnderLoad((_request, response) => response.end(JSON.stringify(rows)), { ratePerSecond: 2500 });
