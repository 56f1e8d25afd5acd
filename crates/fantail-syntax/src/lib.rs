//! The event filter language: lexer, grammar, syntax tree, canonical printer.
