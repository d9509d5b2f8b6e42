/**
 * Moves the convolutions of a finished graph (forward, gradients, optimiser), and what lies between them, into
 * the CPU's blocked layout. The result computes the same as the graph it was made from, to float rounding.
 */
import type { Graph } from '../graph.ts';
import { BlockedLayout } from './blocked-layout.ts';
import { blockedRules } from './blocked-rules.ts';
import { expandOperators } from './rewrite.ts';
import { simplify } from './simplify.ts';

/** @param block channels that the CPU's kernels work on together: 16 or 8 */
export function lowerToBlocked(source: Graph, block: number): Graph {
  const layout = new BlockedLayout(source, block);
  for (const node of layout.nodes) {
    if (blockedRules[node.op.name]?.(layout, node)) continue;
    const inputs = node.inputs.map((value) => layout.plain(value));
    const outputs = layout.graph.addAll(node.op, inputs, node.attributes);
    node.outputs.forEach((value, i) => {
      layout.setPlain(value, outputs[i]);
    });
  }
  for (const [name, value] of source.outputs) layout.graph.output(name, layout.plain(value));
  return simplify(expandOperators(layout.graph));
}
