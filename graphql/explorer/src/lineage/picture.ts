import { ICONS } from '../icons';
import { detail, hue, remark, title } from '../words';
import { restOf } from './caption';
import type { View, ViewEdge, ViewNode } from './graph';
import { type Arrangement, bounds, curve, HEIGHT, WIDTH } from './layout';

export { download } from '../download';

const MARGIN = 24;
const FOOT = 36;
const LARGEST = 16_000; // pixels of a side; browsers refuse larger canvases
const FONT = "'Inter Variable', Inter, system-ui, sans-serif";
const DASHES: Partial<Record<ViewEdge['basis'], string>> = { COLUMN: '10 3', INFERRED: '5 4', ROLLUP: '1.5 4' };

/** The drawing as a picture of its own, in the colours of the page, stamped; any viewer can open it. */
export function toSvg({ view, root }: { view: View; root: string }, { positions, via }: Arrangement, stamp: string): string {
  const colour = colours();
  const measure = measurer();
  const box = bounds(positions);
  const width = Math.max(box.width, measure(stamp, 11)) + 2 * MARGIN;
  const height = box.height + 2 * MARGIN + FOOT;
  const at = (id: string) => positions.get(id)!;
  const isPlaced = (id: string) => positions.has(id);
  const edges = view.edges.filter(({ from, to }) => isPlaced(from) && isPlaced(to)).map((edge) => {
    const from = { x: at(edge.from).x + WIDTH, y: at(edge.from).y + HEIGHT / 2 };
    const to = { x: at(edge.to).x, y: at(edge.to).y + HEIGHT / 2 };
    const dashes = DASHES[edge.basis];
    const stroke = colour(edge.change ?? (edge.stale ? 'stale' : 'edge'));
    return `<path d="${curve(from, to, via.get(edge.id))}" fill="none" stroke="${stroke}" stroke-width="1.4"${dashes ? ` stroke-dasharray="${dashes}"` : ''}/>`;
  });
  const cards = view.nodes.filter(({ id }) => isPlaced(id)).map((one) => {
    const { name, below, icon, tone } = captions(one);
    const line = one.id === root ? colour('ink') : colour(one.change ?? 'line');
    const symbol = icon && `<path d="${icon}" transform="translate(12,20)" fill="none" stroke="${colour(tone)}" stroke-width="1.4"/>`;
    const left = icon ? 40 : 14;
    const room = WIDTH - left - 14;
    return (
      `<g transform="translate(${at(one.id).x},${at(one.id).y})"><title>${escaped(name)}</title>` +
      `<rect width="${WIDTH}" height="${HEIGHT}" rx="6" fill="${colour('surface')}" stroke="${line}"/>${symbol}` +
      `<text x="${left}" y="25" font-size="14" font-weight="600" fill="${colour('ink')}">${escaped(fitted(name, 14, room, measure))}</text>` +
      `<text x="${left}" y="44" font-size="12" fill="${colour('dim')}">${escaped(fitted(below, 12, room, measure))}</text></g>`
    );
  });
  const [x, y] = [box.left - MARGIN, box.top - MARGIN];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${x} ${y} ${width} ${height}" font-family="${FONT}">` +
    `<rect x="${x}" y="${y}" width="100%" height="100%" fill="${colour('ground')}"/>${edges.join('')}${cards.join('')}` +
    `<text x="${box.left}" y="${y + height - 16}" font-size="11" fill="${colour('dim')}">${escaped(stamp)}</text></svg>`
  );
}

export async function toPng(svg: string): Promise<Blob> {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    image.src = address;
    await image.decode();
  } finally {
    URL.revokeObjectURL(address);
  }
  const scale = Math.min(2, LARGEST / Math.max(image.width, image.height));
  const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/png' });
}

function captions(one: ViewNode): { name: string; below: string; icon: string; tone: string } {
  if (!one.node) return { name: `+${restOf(one)}`, below: 'not drawn one by one', icon: '', tone: 'dim' };
  const kind = hue(one.node.kind);
  const below = [one.change, remark(one.node), one.gaps.length > 0 && 'gap', detail(one.node)].filter(Boolean).join(' · ');
  return { name: title(one.node), below, icon: ICONS[kind], tone: kind };
}

/** The page's colours as it shows them now: a variable with light-dark() has to be used to be known. */
function colours(): (name: string) => string {
  const probe = document.createElement('i');
  document.body.append(probe);
  const known = new Map<string, string>();
  const names = ['ink', 'dim', 'line', 'edge', 'stale', 'surface', 'ground', 'added', 'removed', 'changed', 'data', 'model', 'work', 'service', 'column'];
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  probe.remove();
  return (name) => known.get(name) ?? 'currentColor';
}

type Measure = (text: string, size: number) => number;

function measurer(): Measure {
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  return (text, size) => {
    context.font = `600 ${size}px ${FONT}`;
    return context.measureText(text).width;
  };
}

function fitted(text: string, size: number, room: number, measure: Measure): string {
  let kept = text.slice(0, 80);
  if (kept === text && measure(text, size) <= room) return text;
  while (kept.length > 1 && measure(`${kept}…`, size) > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

function escaped(text: string): string {
  return text.toWellFormed().replace(/[\u0000-\u001f\ufffe\uffff]/g, '\ufffd').replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
