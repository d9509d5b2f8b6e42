// An Int32Array that grows as numbers are pushed.
export class GrowingInts {
  #data = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new Int32Array(this.#data.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length++] = value;
  }

  at(index: number): number {
    return this.#data[index];
  }

  set(index: number, value: number): void {
    this.#data[index] = value;
  }

  /** The numbers pushed so far, as an array of exactly that length. */
  take(): Int32Array {
    return this.#data.slice(0, this.length);
  }
}
