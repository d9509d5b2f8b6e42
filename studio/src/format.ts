// Numbers, times and sizes as people read them.

/** Three figures, or the whole number; '–' where undefined. */
export function formatFigure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  // Counts, e.g. of parameters.
  if (Number.isInteger(value) && size < 1e9) return value.toLocaleString('en-US');
  if (size >= 999.5 && size < 1e6) return String(Math.round(value)).replace('-', '−');
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace('e+', 'e').replace('-', '−');
  return value.toPrecision(3).replace('-', '−');
}

export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toPrecision(3)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toPrecision(3)} MB`;
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

export function formatTime(ms: number): string {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return isToday ? time : `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`;
}

/** e.g. 1234 -> '1.23 mm', 12.3 -> '12.3 µm' */
export function formatLength(um: number): string {
  return Math.abs(um) >= 1000 ? `${formatFigure(um / 1000)} mm` : `${formatFigure(um)} µm`;
}

/** Micrometres squared, or millimetres squared where that is shorter. */
export function formatArea(um2: number): string {
  return um2 >= 1e4 ? `${formatFigure(um2 / 1e6)} mm²` : `${formatFigure(um2)} µm²`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at < 0 ? '' : path.slice(0, at);
}

/** Without folder and slide ending. */
export function stemOf(path: string): string {
  return baseName(path).replace(/\.(ome\.)?(tiff?|zarr|png|jpe?g|onnx)$/i, '');
}

/** 'hrpn train' words for a form: 'timeBudgetSeconds' -> 'Time budget'. */
export function fieldLabel(key: string): string {
  if (key === 'out') return 'Write to';
  const words = key
    .replace(/(Seconds|Um)$/, '')
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
  return capitalized(words);
}

/** What the contract says of an option, as a sentence of a form; flags of the command line mean nothing there. */
export function helpText(description: string | undefined): string {
  if (description === undefined) return '';
  const text = description
    .replace(/[;,] repeatable/, '')
    .replace(/--([a-z-]+)/g, (_, flag: string) => flag.replaceAll('-', ' '))
    .replace(/`hrpn ([a-z]+)`/g, (_, command: string) => capitalized(command));
  return `${capitalized(text)}.`;
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
