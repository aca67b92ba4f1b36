import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Autocomplete, Input, Label, ListBox, ListBoxItem, SearchField } from 'react-aria-components';

import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import { FindInstancesDocument } from '../generated/graphql.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { useViewer } from '../session/viewer.tsx';
import { morePages, pages } from './pages.ts';

/** Leads to every page and instance by a few letters. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const { may } = useViewer();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const q = text.trim();
  const asked = useSettled(q, 250);
  const { data, told, read } = useRead(FindInstancesDocument, {
    variables: { q: asked },
    pause: asked.length < 2,
  });
  // Never those of other letters: whoever is quick would open one of them.
  const instances = q === asked ? data?.instances.nodes : undefined;
  const items = useMemo(() => {
    const known = [
      ...[...pages, ...morePages].map(({ to, text: name, permission }) => ({
        to: to as string,
        name,
        permission,
      })),
      { to: '/commands/new', name: 'Send a command', permission: 'fleet.command.send' },
      { to: '/profile', name: 'Your account', permission: 'identity.account.read' },
    ];
    const found = q.length < 2 ? [] : (instances ?? []);
    return [
      ...known
        .filter(({ name, permission }) => may(permission) && name.toLowerCase().includes(q.toLowerCase()))
        .map(({ to, name }) => ({ id: to, name, about: 'Page' })),
      ...found.map(({ id, name, hostname }) => ({ id: `/instances/${id}`, name, about: hostname })),
    ];
  }, [instances, may, q]);
  const nothing = q.length < 2 ? 'Instances are found by two letters or more.' : 'Nothing has this name.';
  const isKnown = q.length < 2 || instances !== undefined;
  return (
    <Dialog title="Find" isDismissable onClose={onClose}>
      <Autocomplete inputValue={text} onInputChange={setText}>
        <SearchField autoFocus>
          <Label>Page or instance</Label>
          <Input />
        </SearchField>
        <Problem told={q === asked ? told : undefined} retry={read} />
        <ListBox
          aria-label="Found"
          items={items}
          className="found"
          renderEmptyState={() => (isKnown ? nothing : !told && 'Looking…')}
          onAction={(to) => {
            onClose();
            void navigate({ to: String(to) });
          }}
        >
          {({ name, about }) => (
            <ListBoxItem textValue={name}>
              {name} <span className="quiet">{about}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Autocomplete>
    </Dialog>
  );
}
