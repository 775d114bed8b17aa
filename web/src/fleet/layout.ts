// Where members and links stand in the drawing: sources left, what they feed to the right. Rings and several sources
// are welcome, so this is a layered layout and no tree.
import { Graph, layout } from '@dagrejs/dagre';
import type { ClusterTopology, Edge, GraphNode } from '../api/shapes';
import { edgeKey } from './standing';

export interface Card { node: GraphNode; x: number; y: number; width: number; height: number }
export interface Wire { edge: Edge; key: string; path: string; middle: Point }
export interface Drawing { left: number; top: number; width: number; height: number; cards: Card[]; wires: Wire[] }
interface Point { x: number; y: number }

const MARGIN = 12;
export interface Sizes { width: number; height: number; small: number; between: number; ranks: number }

export const FULL: Sizes = { width: 248, height: 104, small: 62, between: 26, ranks: 120 };
/** For fleets too large to read card by card: name, role, lag and what could come back. */
export const COMPACT: Sizes = { width: 248, height: 52, small: 52, between: 10, ranks: 150 };
/** More members than this are drawn compact. */
export const MANY = 14;
export const SKETCH: Sizes = { width: 26, height: 16, small: 16, between: 10, ranks: 44 };

/** A smooth line through the points: straight ends, curved bends. */
function through(points: Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x.toFixed(1)} ${first.y.toFixed(1)}`;
  rest.forEach((point, index) => {
    const before = points[index] as Point;
    const half = (point.x - before.x) / 2;
    path += `C${(before.x + half).toFixed(1)} ${before.y.toFixed(1)} ${(point.x - half).toFixed(1)} ${point.y.toFixed(1)} ${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
  });
  return path;
}

/** Lines leave and enter cards at the middle of a side: right to left, or the other way for a link that closes a ring. */
function dock(source: Card, target: Card, points: Point[]): Point[] {
  const forward = source.x < target.x;
  const shift = forward ? 0 : Math.min(18, source.height / 4);
  const side = (card: Card, right: boolean) => ({ x: card.x + (right ? card.width : 0), y: card.y + card.height / 2 + shift });
  return [side(source, forward), ...points.slice(1, -1), side(target, !forward)];
}

const isSmall = (node: GraphNode) => node.reach.state !== 'reached';

function build(topology: ClusterTopology, sizes: Sizes): Graph {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: sizes.between, ranksep: sizes.ranks, edgesep: 14, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of topology.nodes) graph.setNode(node.id, { width: sizes.width, height: isSmall(node) ? sizes.small : sizes.height });
  for (const edge of topology.edges) {
    if (graph.hasNode(edge.source) && graph.hasNode(edge.target)) graph.setEdge(edge.source, edge.target, { width: 2, height: 2 }, edgeKey(edge));
  }
  layout(graph);
  return graph;
}

/** Lays the fleet out. Equal input gives an equal drawing. */
export function draw(topology: ClusterTopology, sizes: Sizes): Drawing {
  const graph = build(topology, sizes);
  const flip = upsideDown(topology, graph) ? -1 : 1;
  const cards = topology.nodes.map((node) => {
    const at = graph.node(node.id) as Point & { width: number; height: number };
    return { node, x: at.x - at.width / 2, y: flip * at.y - at.height / 2, width: at.width, height: at.height };
  });
  const at = new Map(cards.map((card) => [card.node.id, card]));
  const wires: Wire[] = [];
  const drawn: Point[] = [];
  for (const edge of topology.edges) {
    const label = graph.edge(edge.source, edge.target, edgeKey(edge)) as { points: Point[] } | undefined;
    const [source, target] = [at.get(edge.source), at.get(edge.target)];
    if (!label || !source || !target) continue;
    const points = dock(source, target, label.points.map((point) => ({ x: point.x, y: flip * point.y })));
    drawn.push(...points);
    wires.push({ edge, key: edgeKey(edge), path: through(points), middle: points[Math.floor(points.length / 2)] as Point });
  }
  return { ...bounds(cards, drawn), cards, wires };
}

/** Whether the layout put most neighbours of a column in the reverse of the order they were found in. */
function upsideDown(topology: ClusterTopology, graph: Graph): boolean {
  const at = topology.nodes.map((node) => graph.node(node.id) as Point);
  const turns = at.slice(1).map((point, index) => (point.x === at[index]?.x ? Math.sign(point.y - (at[index]?.y ?? 0)) : 0));
  return turns.reduce((sum: number, turn) => sum + turn, 0) < 0;
}

/** The drawing's box: the layout's own leaves out lines that swing around a card. */
function bounds(cards: Card[], points: Point[]): { left: number; top: number; width: number; height: number } {
  const xs = [...cards.flatMap((card) => [card.x, card.x + card.width]), ...points.map((point) => point.x)];
  const ys = [...cards.flatMap((card) => [card.y, card.y + card.height]), ...points.map((point) => point.y)];
  const least = (values: number[]) => values.reduce((low, value) => Math.min(low, value), Infinity) - MARGIN;
  const most = (values: number[]) => values.reduce((high, value) => Math.max(high, value), -Infinity) + MARGIN;
  const [left, top] = [least(xs), least(ys)];
  return { left, top, width: most(xs) - left, height: most(ys) - top };
}
