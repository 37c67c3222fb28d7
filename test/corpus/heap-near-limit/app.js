const rows = Array.from({ length: 600_000 }, (_, id) => ({ id, name: `row ${id}`, value: id * 0.5 }));

function touch() {
  let sum = 0;
  for (let i = 0; i < 4000; i += 1) {
    const index = (i * 7919) % rows.length;
    rows[index] = { id: index, name: `row ${index}`, value: rows[index].value + 1 };
    sum += rows[index].value;
  }
  return sum;
}

setInterval(() => {
  globalThis.sum = touch();
}, 5);
