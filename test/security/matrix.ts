import type { GraphQLSchema } from 'graphql';

import type { Finding } from './findings.js';
import type { Matrix } from './matrix/access.js';
import { billing } from './matrix/billing.js';
import { fleet } from './matrix/fleet.js';
import { governance } from './matrix/governance.js';
import { hosting } from './matrix/hosting.js';
import { identity } from './matrix/identity.js';
import { rootFields } from './operations.js';

export { callers, type Access, type Caller, type Matrix } from './matrix/access.js';

/** Who may call what. Written by hand, so that a change of permissions shows here. One row per operation. */
export const matrix: Matrix = { ...identity, ...billing, ...governance, ...hosting, ...fleet };

/** The operation that a row is about. */
export const operationOf = (row: string): string => row.split('#')[0] ?? row;

/** Operations without a row, and rows without an operation. */
export function matrixFindings(schema: GraphQLSchema, rows: Matrix): Finding[] {
  const operations = rootFields(schema).map(({ coordinate }) => coordinate);
  const declared = Object.keys(rows);
  const finding = (where: string, problem: string): Finding => ({ where, caller: '-', problem });
  return [
    ...operations
      .filter((operation) => !declared.includes(operation))
      .map((operation) => finding(operation, 'has no row in test/security/matrix.ts: say who may call it')),
    ...declared
      .filter((row) => !operations.includes(operationOf(row)))
      .map((row) => finding(row, 'is no operation: take its row out of test/security/matrix.ts')),
  ];
}

/** Every permission that a row names. */
export function permissionsOf(rows: Matrix): string[] {
  return [...new Set(Object.values(rows).flatMap(({ permission }) => permission ?? []))];
}
