import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

import { countNodes } from '#platform/document-size.js';

import type { PreparedOperation } from './documents.js';

/** A document that was checked, and those of its operations that were planned. */
export interface KnownDocument {
  document: DocumentNode;
  /** By name. */
  operations: Map<string, PreparedOperation>;
  /** About what is kept of it in memory. */
  bytes: number;
}

export interface DocumentMemory {
  /** For documents that somebody who is signed in has sent. */
  establishedBytes: number;
  /** For those of everybody else, which so can not drive the others out. */
  recentBytes: number;
}

export const defaultMemory: DocumentMemory = {
  establishedBytes: 48 * 1024 * 1024,
  recentBytes: 8 * 1024 * 1024,
};

// As measured: a node with its position, a field's compiled completion, a plan by each character of its JSON.
const nodeBytes = 210;
const fieldBytes = 540;
const planBytes = 8;

export function newlyKnown(document: DocumentNode): KnownDocument {
  return { document, operations: new Map(), bytes: countNodes(document) * nodeBytes };
}

/** `fields` are those of the operation, with fragments followed. */
export function addOperation(
  known: KnownDocument,
  name: string,
  operation: PreparedOperation,
  fields: number,
): void {
  known.operations.set(name, operation);
  known.bytes += fields * fieldBytes;
  if (operation.plan) known.bytes += JSON.stringify(operation.plan).length * planBytes;
}

/** Documents by their text, bounded by the memory that they take. */
export class KnownDocuments {
  private readonly established: LRUCache<string, KnownDocument>;
  private readonly recent: LRUCache<string, KnownDocument>;

  constructor({ establishedBytes, recentBytes }: DocumentMemory) {
    this.established = cacheOf(establishedBytes);
    this.recent = cacheOf(recentBytes);
  }

  get bytes(): { established: number; recent: number } {
    return { established: this.established.calculatedSize, recent: this.recent.calculatedSize };
  }

  find(text: string, isSignedIn: boolean): KnownDocument | undefined {
    const established = this.established.get(text);
    if (established) return established;
    const recent = this.recent.get(text);
    if (recent && isSignedIn) this.keep(text, recent, isSignedIn);
    return recent;
  }

  /** To be called again when the document has grown by an operation. */
  keep(text: string, known: KnownDocument, isSignedIn: boolean): void {
    // The cache weighs nothing anew that it holds already.
    const wasEstablished = this.established.delete(text);
    this.recent.delete(text);
    (isSignedIn || wasEstablished ? this.established : this.recent).set(text, known);
  }
}

function cacheOf(bytes: number): LRUCache<string, KnownDocument> {
  return new LRUCache({ maxSize: bytes, sizeCalculation: (known, text) => known.bytes + 2 * text.length });
}
