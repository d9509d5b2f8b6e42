/** Calls of a session follow one another, whether they are awaited or not, and none is left without an answer. */
import { expect, it } from 'vitest';
import { EngineError } from '../core/errors.ts';
import { Graph } from './graph.ts';
import { encodeModel } from './onnx/encode.ts';
import { add } from './ops/add.ts';
import { createSession, type Session } from './session.ts';

const scalar = (value: number) => ({ data: Float32Array.of(value), shape: [] });

function counter(): Promise<Session> {
  const graph = new Graph();
  const count = graph.input('count', []);
  graph.output('count.next', add(graph, count, graph.input('one', [])));
  graph.output('seen', add(graph, count, graph.scalar(0)));
  return createSession(encodeModel(graph), { threads: 1, carry: { 'count.next': 'count' } });
}

it('each run takes what the one before has left, and the state asked for is that of then', async () => {
  const session = await counter();
  await session.setState({ count: scalar(0) });
  const runs = Array.from({ length: 5 }, () => session.run({ one: scalar(1) }));
  const then = session.getState();
  const last = session.run({ one: scalar(1) });
  const closed = Promise.all([session.close(), session.close()]);
  expect((await Promise.all(runs)).map(({ seen }) => seen.data[0])).toEqual([0, 1, 2, 3, 4]);
  expect((await then).count.data[0]).toBe(5);
  expect((await last).seen.data[0]).toBe(5);
  await closed;
  await expect(session.run({ one: scalar(1) })).rejects.toThrow(EngineError);
});

it('tensors that were given away already are refused, and nothing waits for them', async () => {
  const session = await counter();
  await session.setState({ count: scalar(0) });
  const given = scalar(1);
  await session.run({ one: given });
  await expect(session.run({ one: given })).rejects.toThrow(/cannot take these tensors/);
  await session.close();
});
