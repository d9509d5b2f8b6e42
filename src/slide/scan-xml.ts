// A small scanner of XML, in one pass and without a tree, so that time and memory grow with the text and no faster:
// parsers that build a tree take minutes and gigabytes for some 20 MB of hostile text.

export interface XmlVisitor {
  /** @param name without its namespace prefix */
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  /** Character data of the innermost open element; may come in several pieces. */
  text(content: string): void;
  close(name: string): void;
}

/** Deeper than any OME-XML. */
const maxDepth = 100;
/** More than any OME-XML element has. */
const maxAttributes = 200;

const attribute = /\s+([^\s=/>"'<]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const tagEnd = /\s*(\/?)>/y;
const tagName = /[^\s=/>"'<]+/y;

/**
 * Calls the visitor for every element. Document types are refused, so no entity can be defined; the five of XML and
 * numbered characters are decoded.
 * @param fail makes the error for text that is not well-formed
 */
export function scanXml(text: string, visitor: XmlVisitor, fail: (what: string) => Error): void {
  const open: string[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  /** Moves behind the next occurrence of a mark, and gives what lies before. */
  const upTo = (mark: string): string => {
    const end = text.indexOf(mark, at);
    if (end < 0) throw fail(`'${mark}' is missing at its end`);
    const content = text.slice(at, end);
    at = end + mark.length;
    return content;
  };
  while (at < text.length) {
    const start = text.indexOf('<', at);
    const end = start < 0 ? text.length : start;
    if (end > at && open.length > 0) visitor.text(decodeEntities(text.slice(at, end)));
    if (start < 0) break;
    at = start;
    if (text.startsWith('<!--', at)) {
      upTo('-->');
    } else if (text.startsWith('<![CDATA[', at)) {
      at += '<![CDATA['.length;
      visitor.text(upTo(']]>'));
    } else if (text.startsWith('<?', at)) {
      upTo('?>');
    } else if (text.startsWith('<!', at)) {
      throw fail('it has a document type, which OME-XML does not');
    } else if (text.startsWith('</', at)) {
      at += 2;
      const name = upTo('>').trim();
      if (open.pop() !== name) throw fail(`'</${name.slice(0, 40)}>' closes what is not open`);
      visitor.close(localName(name));
    } else {
      at += 1;
      const name = match(tagName)?.[0];
      if (name === undefined) throw fail("a '<' begins no element");
      const attributes = new Map<string, string>();
      for (let found = match(attribute); found !== null; found = match(attribute)) {
        attributes.set(localName(found[1]), decodeEntities(found[2] ?? found[3]));
        if (attributes.size > maxAttributes) throw fail(`<${name.slice(0, 40)}> has too many attributes`);
      }
      const closing = match(tagEnd);
      if (closing === null) throw fail(`the tag <${name.slice(0, 40)}> is damaged`);
      visitor.open(localName(name), attributes);
      if (closing[1] === '/') visitor.close(localName(name));
      else if (open.push(name) > maxDepth) throw fail('its elements are nested too deeply');
    }
  }
  if (open.length > 0) throw fail(`<${open.at(-1)?.slice(0, 40)}> is not closed`);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return named[name.toLowerCase()];
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
