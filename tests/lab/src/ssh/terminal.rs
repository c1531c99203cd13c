//! Terminals of logins: opened on the host, set as the client asked.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use russh::Pty;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::pty::OpenptFlags;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, Winsize,
};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::account::users::User;
use crate::machine::namespaces::Rights;

/// What the client asked of its terminal.
#[derive(Debug, Clone)]
pub struct Wish {
    pub term: String,
    pub size: Winsize,
    pub modes: Vec<(Pty, u32)>,
}

/// The server's end of a terminal.
pub struct Terminal {
    /// What programs write. Ends with an error once nobody has the terminal open any more.
    pub shown: Receiver,
    /// What is typed.
    pub typed: Sender,
    pub control: Control,
}

/// What can be changed about a terminal while it is in use.
pub struct Control {
    master: OwnedFd,
    /// Its name on the host, as in `SSH_TTY`.
    pub name: String,
}

/// Opens a terminal for the user; answers both ends.
pub fn open(wish: &Wish, user: &User, rights: Rights) -> io::Result<(Terminal, OwnedFd)> {
    let master =
        rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?
        .to_string_lossy()
        .into_owned();
    let slave = rustix::fs::open(
        &*name,
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    if rights == Rights::Root {
        rustix::fs::fchown(
            &slave,
            Some(Uid::from_raw(user.uid)),
            Some(Gid::from_raw(user.gid)),
        )?;
    }
    rustix::termios::tcsetwinsize(&master, wish.size)?;
    let mut termios = rustix::termios::tcgetattr(&slave)?;
    for (mode, value) in &wish.modes {
        set_mode(&mut termios, *mode, *value);
    }
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios)?;
    let flags = rustix::fs::fcntl_getfl(&master)?;
    rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
    // The pipe types only read, write and wait: they serve any file that can be waited for.
    let shown = Receiver::from_file_unchecked(File::from(master.try_clone()?))?;
    let typed = Sender::from_file_unchecked(File::from(master.try_clone()?))?;
    Ok((
        Terminal {
            shown,
            typed,
            control: Control { master, name },
        },
        slave,
    ))
}

impl Control {
    /// Changes the size; programs on the terminal get a signal.
    pub fn resize(&self, size: Winsize) -> io::Result<()> {
        Ok(rustix::termios::tcsetwinsize(&self.master, size)?)
    }
}

/// The size as the client gave it.
pub fn size(columns: u32, rows: u32, width: u32, height: u32) -> Winsize {
    let short = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    Winsize {
        ws_col: short(columns),
        ws_row: short(rows),
        ws_xpixel: short(width),
        ws_ypixel: short(height),
    }
}

fn set_mode(termios: &mut Termios, mode: Pty, value: u32) {
    let on = value != 0;
    let local = match mode {
        Pty::ISIG => LocalModes::ISIG,
        Pty::ICANON => LocalModes::ICANON,
        Pty::ECHO => LocalModes::ECHO,
        Pty::ECHOE => LocalModes::ECHOE,
        Pty::ECHOK => LocalModes::ECHOK,
        Pty::ECHONL => LocalModes::ECHONL,
        Pty::NOFLSH => LocalModes::NOFLSH,
        Pty::TOSTOP => LocalModes::TOSTOP,
        Pty::IEXTEN => LocalModes::IEXTEN,
        Pty::ECHOCTL => LocalModes::ECHOCTL,
        Pty::ECHOKE => LocalModes::ECHOKE,
        _ => LocalModes::empty(),
    };
    termios.local_modes.set(local, on);
    let input = match mode {
        Pty::IGNPAR => InputModes::IGNPAR,
        Pty::PARMRK => InputModes::PARMRK,
        Pty::INPCK => InputModes::INPCK,
        Pty::ISTRIP => InputModes::ISTRIP,
        Pty::INLCR => InputModes::INLCR,
        Pty::IGNCR => InputModes::IGNCR,
        Pty::ICRNL => InputModes::ICRNL,
        Pty::IXON => InputModes::IXON,
        Pty::IXANY => InputModes::IXANY,
        Pty::IXOFF => InputModes::IXOFF,
        _ => InputModes::empty(),
    };
    termios.input_modes.set(input, on);
    let output = match mode {
        Pty::OPOST => OutputModes::OPOST,
        Pty::ONLCR => OutputModes::ONLCR,
        Pty::OCRNL => OutputModes::OCRNL,
        Pty::ONOCR => OutputModes::ONOCR,
        Pty::ONLRET => OutputModes::ONLRET,
        _ => OutputModes::empty(),
    };
    termios.output_modes.set(output, on);
    set_character(termios, mode, value);
}

fn set_character(termios: &mut Termios, mode: Pty, value: u32) {
    let index = match mode {
        Pty::VINTR => SpecialCodeIndex::VINTR,
        Pty::VQUIT => SpecialCodeIndex::VQUIT,
        Pty::VERASE => SpecialCodeIndex::VERASE,
        Pty::VKILL => SpecialCodeIndex::VKILL,
        Pty::VEOF => SpecialCodeIndex::VEOF,
        Pty::VSUSP => SpecialCodeIndex::VSUSP,
        _ => return,
    };
    termios.special_codes[index] = if value == 255 {
        0
    } else {
        u8::try_from(value).unwrap_or(0)
    };
}
