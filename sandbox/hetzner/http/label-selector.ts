import { invalidInput } from '../errors.js';

/** Reads a selector: `key`, `!key`, `key=value`, `key==value`, `key!=value`, joined by commas. */
export function labelSelector(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const rules = text.split(',').map((rule) => {
    const parts = /^\s*(!?)([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*))?\s*$/.exec(rule);
    if (!parts) throw invalidInput('label_selector', 'invalid label selector');
    const [, not, key = '', operator, value = ''] = parts;
    return (labels: Readonly<Record<string, string>>) => {
      if (operator === undefined) return Object.hasOwn(labels, key) !== (not === '!');
      return (labels[key] === value) === (operator !== '!=');
    };
  });
  return (labels) => rules.every((rule) => rule(labels));
}
