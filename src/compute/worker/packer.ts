import { Packr } from 'msgpackr'
import { PACKER_OPTIONS, type MessagePacker } from '../../shared/wire/messages.ts'

export const messagePacker: MessagePacker = new Packr(PACKER_OPTIONS)
