// NOTIFY takes less than 8000 bytes, and ids are ASCII.
const maxLength = 7_900;

/** `process tenant:id,id tenant:id`: who tells, and which instances have beaten; in as many texts as it needs. */
export function announcements(from: string, instances: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const texts: string[] = [];
  let text = from;
  for (const [tenantId, ids] of instances) {
    let isOpen = false;
    for (const id of ids) {
      const next = isOpen ? `,${id}` : ` ${tenantId}:${id}`;
      if (text.length + next.length > maxLength) {
        texts.push(text);
        text = `${from} ${tenantId}:${id}`;
      } else {
        text += next;
      }
      isOpen = true;
    }
  }
  return [...texts, text];
}

export function readAnnouncement(text: string): {
  from: string;
  tenants: [tenantId: string, ids: string[]][];
} {
  const [from = '', ...groups] = text.split(' ');
  return {
    from,
    tenants: groups.map((group) => {
      const colon = group.indexOf(':');
      return [group.slice(0, colon), group.slice(colon + 1).split(',')];
    }),
  };
}
