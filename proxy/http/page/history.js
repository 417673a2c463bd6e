// The last minutes of each connection. The sidecar sends only what is new since the last time.

class Rows {
  constructor() {
    this.byBucket = new Map();
    this.columns = [];
  }

  add(history) {
    this.columns = history.columns;
    this.bucket = history.bucket;
    this.buckets = history.buckets;
    this.bucketS = history.bucket_s;
    for (const row of history.rows) this.byBucket.set(row[0], row);
    for (const bucket of this.byBucket.keys()) {
      if (bucket <= this.bucket - this.buckets) this.byBucket.delete(bucket);
    }
  }

  // [place from 0 (oldest) to `buckets` - 1 (now), value of each named column].
  *of(...names) {
    const at = names.map((name) => this.columns.indexOf(name));
    const first = this.bucket - this.buckets + 1;
    for (let bucket = first; bucket <= this.bucket; bucket += 1) {
      const row = this.byBucket.get(bucket);
      if (row) yield [bucket - first, ...at.map((column) => row[column])];
    }
  }

  // Sum of a column over the last so many seconds.
  sum(name, seconds) {
    const first = this.buckets - seconds / this.bucketS;
    let total = 0;
    for (const [place, value] of this.of(name)) if (place >= first) total += value;
    return total;
  }

  // The latest row in which the column has a value: [seconds ago, values…].
  latest(...names) {
    let found = null;
    for (const [place, ...values] of this.of(...names)) {
      if (values[0] != null) found = [(this.buckets - 1 - place) * this.bucketS, ...values];
    }
    return found;
  }
}
