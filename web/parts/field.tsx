import {
  useId,
  useLayoutEffect,
  useRef,
  type InputHTMLAttributes,
  type ReactNode,
  type TextareaHTMLAttributes,
} from 'react';

import { describedBy, Fault, useFault } from './faults.tsx';

type Filled = InputHTMLAttributes<HTMLInputElement>['defaultValue'];

/** What is edited may change meanwhile: a field shows it as it is by then, unless something else was typed into it. */
function useShown<Input extends { value: string }>(defaultValue: Filled) {
  const input = useRef<Input>(null);
  const shown = useRef(defaultValue);
  useLayoutEffect(() => {
    const isTouched = input.current?.value !== asText(shown.current);
    if (input.current && !isTouched && defaultValue !== shown.current)
      input.current.value = asText(defaultValue);
    shown.current = defaultValue;
  }, [defaultValue]);
  return input;
}

const asText = (value: Filled) => String(value ?? '');

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: ReactNode;
}

/** A labelled input, and under it what to know of it. */
export function Field({ label, hint, ...input }: FieldProps) {
  const id = useId();
  const fault = useFault(input.name);
  const ref = useShown<HTMLInputElement>(input.defaultValue);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        ref={ref}
        aria-describedby={describedBy(id, hint, fault)}
        aria-invalid={fault !== undefined || undefined}
        {...input}
      />
      {hint && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
      <Fault id={`${id}-fault`} text={fault} />
    </div>
  );
}

interface LongFieldProps extends TextareaHTMLAttributes<HTMLTextAreaElement> {
  label: string;
  hint?: ReactNode;
}

/** A labelled input of several lines. */
export function LongField({ label, hint, ...input }: LongFieldProps) {
  const id = useId();
  const fault = useFault(input.name);
  const ref = useShown<HTMLTextAreaElement>(input.defaultValue);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        ref={ref}
        rows={4}
        aria-describedby={describedBy(id, hint, fault)}
        aria-invalid={fault !== undefined || undefined}
        {...input}
      />
      {hint && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
      <Fault id={`${id}-fault`} text={fault} />
    </div>
  );
}

interface FieldGroupProps {
  legend: string;
  /** What the form calls them together. */
  name: string;
  children: ReactNode;
}

/** Fields that belong together; what is wrong with them as a whole stands under them. */
export function FieldGroup({ legend, name, children }: FieldGroupProps) {
  const id = useId();
  const fault = useFault(name);
  return (
    <fieldset className="group" name={name} aria-describedby={describedBy(id, undefined, fault)}>
      <legend>{legend}</legend>
      {children}
      <Fault id={`${id}-fault`} text={fault} />
    </fieldset>
  );
}

interface SelectProps {
  label: string;
  name: string;
  options: readonly { value: string; text: string }[];
  defaultValue?: string;
}

/** A labelled choice that its form reads. */
export function Select({ label, name, options, defaultValue }: SelectProps) {
  const id = useId();
  const fault = useFault(name);
  const ref = useShown<HTMLSelectElement>(defaultValue);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        ref={ref}
        name={name}
        defaultValue={defaultValue}
        aria-describedby={describedBy(id, undefined, fault)}
        aria-invalid={fault !== undefined || undefined}
      >
        {options.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <Fault id={`${id}-fault`} text={fault} />
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; text: string }[];
  onChange: (value: Value) => void;
  /** What its form calls it. */
  name?: string;
  autoFocus?: boolean;
}

/** A labelled choice of a few. */
export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const { label, value, options, onChange, name, autoFocus } = props;
  const id = useId();
  const fault = useFault(name);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        name={name}
        value={value}
        autoFocus={autoFocus}
        aria-describedby={describedBy(id, undefined, fault)}
        aria-invalid={fault !== undefined || undefined}
        onChange={(event) => onChange(event.target.value as Value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
      <Fault id={`${id}-fault`} text={fault} />
    </div>
  );
}
