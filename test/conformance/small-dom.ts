// As much of a browser's DOM as Viv needs to read OME-XML outside one.
import { scanXml } from '../../src/slide/scan-xml.ts';

interface SmallNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly attributes: { name: string; value: string }[];
  readonly childNodes: SmallNode[];
}

const [elementNode, textNode] = [1, 3];

function node(nodeType: number, nodeName: string, nodeValue: string | null = null): SmallNode {
  return { nodeType, nodeName, nodeValue, attributes: [], childNodes: [] };
}

/** Stands in for `DOMParser`. */
export class SmallDomParser {
  parseFromString(text: string): { documentElement: SmallNode } {
    const root = node(9, '#document');
    const open = [root];
    scanXml(
      text,
      {
        open: (name, attributes) => {
          const element = node(elementNode, name);
          for (const [key, value] of attributes) element.attributes.push({ name: key, value });
          open.at(-1)!.childNodes.push(element);
          open.push(element);
        },
        text: (content) => open.at(-1)!.childNodes.push(node(textNode, '#text', content)),
        close: () => open.pop(),
      },
      (what) => new Error(what),
    );
    return { documentElement: root.childNodes[0] };
  }
}
