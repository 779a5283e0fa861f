//! keepalived.conf as a tree: statements of words, some with a block. What they mean is not known here.
//!
//! keepalived.conf(5): words stand between spaces, a statement ends with its line, `#` and `!` begin a
//! comment, quotes hold a word together. A block may also open in the line after its head.

use crate::fault::Fault;
use crate::limits::DEPTH_MAX;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
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

/// The statements of the whole text.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, Fault> {
    let mut open: Vec<Vec<Statement>> = vec![Vec::new()];
    for (line, number) in text.lines().zip(1..) {
        let mut fresh = true;
        for token in tokens(line) {
            match token {
                Token::Word(word) if fresh => {
                    push(&mut open, Statement { line: number, words: vec![word], block: None });
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
