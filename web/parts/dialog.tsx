import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

interface DialogProps {
  title: string;
  onClose: () => void;
  /** Nothing would be gone with it: a press beside it leaves it too. */
  isDismissable?: boolean;
  /** What it shows is shown this once: only its own buttons leave it. */
  isShownOnce?: boolean;
  children: ReactNode;
}

/** A window over the page: keeps the focus, is left with Escape, and gives the focus back. */
export function Dialog(props: DialogProps) {
  const { title, onClose, isDismissable = false, isShownOnce = false, children } = props;
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isDismissable={isDismissable}
      isKeyboardDismissDisabled={isShownOnce}
      onOpenChange={(isOpen) => !isOpen && onClose()}
    >
      <Modal className="modal">
        <AriaDialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
