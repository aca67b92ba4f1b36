import { ArgsType, Directive, Field, Int, ObjectType, type ClassType } from 'type-graphql';

import { badArgument, type ApiError } from '../errors.js';
import { defaultPageSize, maxPageSize } from '../page-size.js';

@ObjectType({ description: 'Where a page ends.' })
@Directive('@shareable')
export class PageInfo {
  @Field(() => String, {
    nullable: true,
    description: 'Pass as `after` to get the next page; null on an empty page.',
  })
  endCursor!: string | null;

  @Field(() => Boolean, { description: 'Whether anything follows this page.' })
  hasNextPage!: boolean;
}

/** Arguments of every list. A class, because parameter decorators would print them in reverse. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    description: `Page size, 1 to ${maxPageSize}; ${defaultPageSize} unless told.`,
  })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description: '`endCursor` of the page before; absent for the first page.',
  })
  after?: string | null;
}

/** One page as services give it. `total` is only counted when a client asks for it. */
export interface Page<T> {
  nodes: T[];
  pageInfo: PageInfo;
  total: () => Promise<number>;
}

/** The GraphQL page type of a node: `XPage { nodes, pageInfo, totalCount }`. */
export function pageOf<T extends object>(node: ClassType<T>, name: string): ClassType<Page<T>> {
  @ObjectType(`${name}Page`, { description: `One page of ${name} entries.` })
  class PageType implements Page<T> {
    @Field(() => [node], { description: 'The entries, in the order of the list.' })
    nodes!: T[];

    @Field(() => PageInfo, { description: 'Where this page ends.' })
    pageInfo!: PageInfo;

    total!: () => Promise<number>;

    @Field(() => Int, { description: 'How many entries the whole list has. Counted only when asked for.' })
    async totalCount(): Promise<number> {
      return this.total();
    }
  }
  return PageType;
}

export interface PageWindow {
  size: number;
  /** The keyset position after which the page starts: the id of the last entry before it. */
  after: string | undefined;
}

/** Checks `first` and `after`. Cursors hold a position, not an offset: inserts before it do not move the page. */
export function pageWindow(args: PageArgs): PageWindow {
  const size = args.first ?? defaultPageSize;
  if (size < 1 || size > maxPageSize) throw badArgument('first', `must be from 1 to ${maxPageSize}`);
  if (args.after === undefined || args.after === null) return { size, after: undefined };
  const position = Buffer.from(args.after, 'base64url').toString('utf8');
  if (!/^[\w-]{1,100}$/.test(position)) throw foreignCursor();
  return { size, after: position };
}

/** BAD_REQUEST: a cursor that this list has not given, or that leads nowhere any more. */
export function foreignCursor(): ApiError {
  return badArgument('after', 'must come from this list');
}

/** Makes a page of rows read with `size + 1` as their limit. */
export function toPage<T extends { id: string }>(
  rows: T[],
  window: PageWindow,
  total: () => Promise<number>,
): Page<T> {
  const nodes = rows.slice(0, window.size);
  const last = nodes.at(-1);
  return {
    nodes,
    pageInfo: {
      endCursor: last ? Buffer.from(last.id).toString('base64url') : null,
      hasNextPage: rows.length > window.size,
    },
    total,
  };
}
