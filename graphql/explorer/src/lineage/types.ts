import type { GraphPartFragment } from '../gql/graphql';

export type { AsOf, Basis, Direction, GapKind, GraphPartFragment, Grain, NodeBriefFragment } from '../gql/graphql';
export type SnapshotPart = GraphPartFragment['snapshot'];
