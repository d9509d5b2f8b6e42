// Tables as CSV and as Parquet.
import { parquetWriteBuffer } from 'hyparquet-writer';

export type Cell = string | number;

/** Columns of one length each; a name ends in its unit, e.g. 'area_um2'. */
export type Table = Readonly<Record<string, readonly Cell[]>>;

/** RFC 4180, with a line of headings; NaN and infinities are empty cells. */
export function csvOf(table: Table): string {
  const names = Object.keys(table);
  const rows = table[names[0]]?.length ?? 0;
  const lines = [names.map(quoted).join(',')];
  for (let i = 0; i < rows; i++) lines.push(names.map((name) => cellText(table[name][i])).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return quoted(cell);
  return Number.isFinite(cell) ? `${cell}` : '';
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One row group; numbers as DOUBLE (NaN stays NaN), texts as STRING. */
export function parquetOf(table: Table): Uint8Array {
  const columnData = Object.entries(table).map(([name, data]) =>
    data.some((cell) => typeof cell === 'string')
      ? { name, data: data.map(String), type: 'STRING' as const }
      : { name, data: Float64Array.from(data as readonly number[]), type: 'DOUBLE' as const },
  );
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
