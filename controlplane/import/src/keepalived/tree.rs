//! keepalived.conf as a tree: statements of words, some with a block. What they mean is not known here.
//!
//! keepalived.conf(5): words stand between spaces, a statement ends with its line, `#` and `!` begin a
//! comment, quotes hold a word together. A block may also open in the line after its head.

use std::rc::Rc;

use crate::Includes;
use crate::fault::{Fault, plain};
use crate::limits::{DEPTH_MAX, INCLUDED_FILES_MAX, INPUT_BYTES_MAX};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// The file that was included, if it is not in the text itself.
    pub(super) file: Option<Rc<str>>,
    /// The line it begins in, from 1.
    pub(super) line: usize,
    /// At least one word.
    pub(super) words: Vec<String>,
    /// What is between its braces.
    pub(super) block: Option<Vec<Statement>>,
}

impl Statement {
    /// The word at that place, or nothing.
    pub(super) fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }

    /// The words from that place on.
    pub(super) fn rest(&self, place: usize) -> String {
        self.words.get(place..).unwrap_or_default().join(" ")
    }

    /// A fault here.
    pub(super) fn fault(&self, message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::line(self.line, message, remedy).inside(self.file.as_deref())
    }

    /// Where it stands, in words.
    pub(super) fn place(&self) -> String {
        match &self.file {
            Some(file) => format!("{} line {}", plain(file), self.line),
            None => format!("line {}", self.line),
        }
    }

    /// The statements of its block, if it has one.
    pub(super) fn inside(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// A word, a brace, or the end of a line.
enum Token {
    Word(String),
    Open,
    Close,
}

/// The statements of the text and, with `includes`, of all that it includes.
pub(super) fn parse(text: &str, includes: Option<&mut Includes<'_>>) -> Result<Vec<Statement>, Fault> {
    let statements = one(text, None)?;
    match includes {
        Some(includes) => {
            let mut room = Room { includes, files: INCLUDED_FILES_MAX, bytes: INPUT_BYTES_MAX };
            room.follow(statements, 0)
        }
        None => Ok(statements),
    }
}

/// How much may still be included.
struct Room<'r, 'i> {
    includes: &'r mut Includes<'i>,
    files: usize,
    bytes: usize,
}

impl Room<'_, '_> {
    /// The statements with each `include` replaced by those of its files, `depth` files deep.
    fn follow(&mut self, statements: Vec<Statement>, depth: usize) -> Result<Vec<Statement>, Fault> {
        let mut all = Vec::new();
        for mut statement in statements {
            if statement.word(0) == "include" && statement.block.is_none() {
                all.extend(self.included(&statement, depth)?);
                continue;
            }
            if let Some(block) = statement.block.take() {
                statement.block = Some(self.follow(block, depth)?);
            }
            all.push(statement);
        }
        Ok(all)
    }

    fn included(&mut self, statement: &Statement, depth: usize) -> Result<Vec<Statement>, Fault> {
        if depth >= DEPTH_MAX {
            let what = format!("files include one another more than {DEPTH_MAX} deep");
            return Err(statement.fault(what, "Look for one that includes itself."));
        }
        let from = statement.file.as_deref().unwrap_or_default();
        let files = (self.includes)(from, statement.word(1)).map_err(|why| {
            let what = format!("\"{}\" cannot be included: {}", plain(statement.word(1)), plain(&why));
            statement.fault(what, "Mend the path, or take the line away.")
        })?;
        let mut all = Vec::new();
        for (name, text) in files {
            let files = self.files.checked_sub(1);
            let bytes = self.bytes.checked_sub(text.len());
            let (Some(files), Some(bytes)) = (files, bytes) else {
                let what =
                    format!("more than {INCLUDED_FILES_MAX} files or {INPUT_BYTES_MAX} bytes are included");
                return Err(statement.fault(what, "Import the files in parts."));
            };
            (self.files, self.bytes) = (files, bytes);
            let name: Rc<str> = name.into();
            let fault = |fault: Fault| fault.inside(Some(&name));
            all.extend(self.follow(one(&text, Some(&name)).map_err(fault)?, depth.saturating_add(1))?);
        }
        Ok(all)
    }
}

/// The statements of one text.
fn one(text: &str, file: Option<&Rc<str>>) -> Result<Vec<Statement>, Fault> {
    let mut open: Vec<Vec<Statement>> = vec![Vec::new()];
    for (line, number) in text.lines().zip(1..) {
        let mut fresh = true;
        for token in tokens(line) {
            match token {
                Token::Word(word) if fresh => {
                    push(
                        &mut open,
                        Statement { file: file.cloned(), line: number, words: vec![word], block: None },
                    );
                    fresh = false;
                }
                Token::Word(word) => {
                    if let Some(statement) = last(&mut open) {
                        statement.words.push(word);
                    }
                }
                Token::Open => {
                    if last(&mut open).is_none_or(|statement| statement.block.is_some()) {
                        let what = "a block opens without a head";
                        return Err(Fault::line(number, what, "Write what it is before the brace."));
                    }
                    if open.len() > DEPTH_MAX {
                        let what = format!("blocks are more than {DEPTH_MAX} deep");
                        return Err(Fault::line(number, what, "Close some of them."));
                    }
                    open.push(Vec::new());
                    fresh = true;
                }
                Token::Close => {
                    close(&mut open, number)?;
                    fresh = true;
                }
            }
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(all), true) => Ok(all),
        _ => Err(Fault::whole("a block is not closed at the end of the text", "Write the closing brace.")),
    }
}

fn push(open: &mut [Vec<Statement>], statement: Statement) {
    if let Some(list) = open.last_mut() {
        list.push(statement);
    }
}

fn last(open: &mut [Vec<Statement>]) -> Option<&mut Statement> {
    open.last_mut()?.last_mut()
}

fn close(open: &mut Vec<Vec<Statement>>, line: usize) -> Result<(), Fault> {
    // The outermost list is of no block.
    if open.len() < 2 {
        return Err(Fault::line(line, "a brace closes what was not opened", "Take it away."));
    }
    let block = open.pop();
    if let Some(statement) = last(open) {
        statement.block = block;
    }
    Ok(())
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '#' | '!' => break,
            '{' => tokens.push(Token::Open),
            '}' => tokens.push(Token::Close),
            '"' => tokens.push(Token::Word(rest.by_ref().take_while(|&c| c != '"').collect())),
            blank if blank.is_whitespace() => {}
            other => {
                let mut word = String::from(other);
                while let Some(next) = rest.next_if(|&c| !c.is_whitespace() && !"{}#!\"".contains(c)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    tokens
}
