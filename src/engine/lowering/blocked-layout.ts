/**
 * What a lowering pass knows while it rewrites a graph: for every value of the source graph its plain form, its
 * blocked form, or how to make it. Either form is made from the other when it is asked for.
 */
import { assert } from '../../core/errors.ts';
import { Graph, type Node, nodesFor, type Value } from '../graph.ts';
import { add } from '../ops/add.ts';
import type { NormState } from './blocked-batch-norm.ts';
import { type Activation, type Blocked, blockedAffine, onesFor, toBlocked, toPlain } from './blocked-ops.ts';

/** A result whose kernel can still take in the sums and the ReLU that follow it. */
export interface Pending {
  emit(addend: Value | undefined, activation: Activation | undefined): Blocked;
  /** Values of the source graph to be added. */
  readonly addends: readonly Value[];
}

export class BlockedLayout {
  readonly graph = new Graph();
  readonly block: number;
  /** Nodes of the source graph that are needed, in order. */
  readonly nodes: readonly Node[];
  /** State of the batch normalisations lowered so far, by their second output, which only their gradient reads. */
  readonly norms = new Map<Value, NormState>();
  readonly #plain = new Map<Value, Value>();
  readonly #blocked = new Map<Value, Blocked>();
  readonly #pending = new Map<Value, Pending>();
  readonly #uses = new Map<Value, number>();

  constructor(source: Graph, block: number) {
    this.block = block;
    this.nodes = nodesFor(source, source.outputs.values());
    for (const [name, value] of source.inputs) {
      this.#plain.set(value, this.graph.input(name, value.shape, value.dtype));
    }
    const used = [...this.nodes.flatMap(({ inputs }) => inputs), ...source.outputs.values()];
    for (const value of used) this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
  }

  /** Whether one node alone reads the value. */
  isUsedOnce(value: Value): boolean {
    return this.#uses.get(value) === 1;
  }

  isUsed(value: Value): boolean {
    return this.#uses.has(value);
  }

  /** Whether the value is at hand in blocked memory, or will be. */
  isBlocked(value: Value): boolean {
    return this.#blocked.has(value) || this.#pending.has(value);
  }

  pendingOf(value: Value): Pending | undefined {
    return this.#pending.get(value);
  }

  setPlain(value: Value, lowered: Value): void {
    this.#plain.set(value, lowered);
  }

  setBlocked(value: Value, lowered: Blocked): void {
    this.#blocked.set(value, lowered);
  }

  setPending(value: Value, pending: Pending): void {
    this.#pending.set(value, pending);
  }

  plain(value: Value): Value {
    const known = this.#plain.get(value);
    if (known) return known;
    let made: Value;
    if (value.constant) {
      made = this.graph.constant(value.constant, value.shape, value.label);
    } else {
      assert(this.isBlocked(value), 'a value is used before it is computed');
      made = toPlain(this.graph, this.blocked(value));
    }
    this.#plain.set(value, made);
    return made;
  }

  blocked(value: Value): Blocked {
    const known = this.#blocked.get(value);
    if (known) return known;
    const pending = this.#pending.get(value);
    const made = pending
      ? this.emit(pending, undefined)
      : toBlocked(this.graph, this.plain(value), this.block);
    this.#blocked.set(value, made);
    return made;
  }

  /** Makes a pending value, its addends included. */
  emit({ emit, addends }: Pending, activation: Activation | undefined): Blocked {
    const { graph } = this;
    const [first, ...more] = addends.map((addend) => this.blocked(addend).blocked);
    const sum = more.reduce((total, next) => add(graph, total, next), first);
    const isFree = addends.length !== 1 || this.isUsedOnce(addends[0]);
    if (isFree) return emit(sum, activation);
    // The kernel adds in place: it would first copy, in one thread, an addend that is read again later.
    const host = emit(undefined, undefined);
    const ones = onesFor(graph, sum);
    const blocked = blockedAffine(graph, sum, ones, { addend: host.blocked, activation });
    return { blocked, channels: host.channels };
  }
}
