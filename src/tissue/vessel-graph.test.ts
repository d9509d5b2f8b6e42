import { expect, test } from 'vitest';
import { slideModel } from './cohort.ts';
import { presetOf } from './presets.ts';
import { TissueMap } from './tissue-map.ts';
import { edgesOfBlock, type VesselEdge } from './vessel-graph.ts';

const preset = presetOf('small');
const model = slideModel({ preset, seed: 3, sizePx: preset.sizePx, particleNm: 20 }, 0);
const map = new TissueMap(model);

type Vector = readonly [number, number, number];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

test('vessels run on through junctions without an elbow', () => {
  const ends = new Map<string, { straight: Vector; leaving: Vector }[]>();
  const ids = new Set<number>();
  const edges: VesselEdge[] = [];
  for (let y = 1; y < 4; y++) for (let x = 1; x < 4; x++) edges.push(...edgesOfBlock(model, map, x, y));
  for (const { id, a, b, fromA, toB } of edges) {
    ids.add(id);
    const length = Math.hypot(b.x - a.x, b.y - a.y, b.z - a.z);
    const straight: Vector = [(b.x - a.x) / length, (b.y - a.y) / length, (b.z - a.z) / length];
    const back: Vector = [-straight[0], -straight[1], -straight[2]];
    for (const [{ i, j, k }, way, leaving] of [
      [a, straight, fromA],
      [b, back, [-toB[0], -toB[1], -toB[2]]],
    ] as const) {
      expect(dot(leaving, leaving)).toBeCloseTo(1, 9);
      // No end turns away from where its vessel goes.
      expect(dot(way, leaving)).toBeGreaterThan(0);
      const place = `${i},${j},${k}`;
      ends.set(place, [...(ends.get(place) ?? []), { straight: way, leaving }]);
    }
  }
  expect(ids.size).toBe(edges.length);
  // The two that go most nearly straight on, where they turn by less than 72 degrees. Blind ends and blocks that were
  // not made leave out some vessels whose tangent it is.
  let [bends, smooth] = [0, 0];
  for (const meeting of ends.values()) {
    const pairs = meeting.flatMap((one, n) => meeting.slice(0, n).map((other) => [one, other] as const));
    const turns = pairs.map(([one, other]) => dot(one.straight, other.straight));
    const straightest = turns.indexOf(Math.min(...turns));
    if (!(turns[straightest] < -0.31)) continue;
    bends++;
    const [one, other] = pairs[straightest];
    if (dot(one.leaving, other.leaving) < -0.999) smooth++;
  }
  expect(bends).toBeGreaterThan(200);
  expect(smooth / bends).toBeGreaterThan(0.8);
});
