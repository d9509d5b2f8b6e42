/** SpaceToDepth and DepthToSpace: each is the other's inverse and gradient. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';

const spaceToDepthOp: Op = {
  name: 'SpaceToDepth',
  infer: ([x], attributes) => {
    const b = attributes.blocksize as number;
    const [n, c, h, w] = x.shape;
    assert(h % b === 0 && w % b === 0, `${h} x ${w} is no multiple of the block ${b}`);
    return [{ shape: [n, c * b * b, h / b, w / b], dtype: x.dtype }];
  },
  gradient: (graph, node, [dy]) => [dy && depthToSpace(graph, dy, node.attributes.blocksize as number)],
};

/** [N, C, H, W] -> [N, b*b*C, H/b, W/b]: the b x b pixels of a block become channels, phase by phase. */
export function spaceToDepth(graph: Graph, x: Value, block: number): Value {
  return graph.add(spaceToDepthOp, [x], { blocksize: block });
}

const depthToSpaceOp: Op = {
  name: 'DepthToSpace',
  infer: ([x], attributes) => {
    const b = attributes.blocksize as number;
    const [n, c, h, w] = x.shape;
    assert(c % (b * b) === 0, `${c} channels do not fill blocks of ${b} x ${b}`);
    return [{ shape: [n, c / (b * b), h * b, w * b], dtype: x.dtype }];
  },
  gradient: (graph, node, [dy]) => [dy && spaceToDepth(graph, dy, node.attributes.blocksize as number)],
};

/** The inverse of spaceToDepth (ONNX mode DCR). */
export function depthToSpace(graph: Graph, x: Value, block: number): Value {
  return graph.add(depthToSpaceOp, [x], { blocksize: block, mode: 'DCR' });
}
