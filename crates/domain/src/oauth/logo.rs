//! The logo of an app: a picture that somebody uploads and people see where they are asked to trust the app. It is decoded
//! and drawn anew, so that nothing of the upload is served but its colours.

use super::{
    apps::{lock, target},
    sql,
};
use crate::{
    Core, Ctx, Error, Grant, Result,
    db::{Event, WriteTx},
    tokens,
};
use contract::{App, AppId, LOGOS, Perm};
use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgba, RgbaImage,
    imageops::{self, FilterType},
    metadata::Orientation,
};
use serde_json::json;
use std::io::Cursor;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Largest upload, in bytes.
pub const LARGEST: usize = 256 * 1024;
/// What is kept is so wide and so high.
const SIDE: u32 = 128;
/// Widest and highest picture that is decoded.
const WIDEST: u32 = 4_096;
/// Largest picture once it is decoded, in bytes: the widest one in 32 bits a pixel, and what its decoder needs beside.
const DECODED: u64 = 80 * 1024 * 1024;
/// How many are decoded at the same time, in this process.
static DECODING: Semaphore = Semaphore::const_new(2);

/// Where a logo is served.
pub(super) fn path(app: AppId, hash: &str) -> String {
    format!("{LOGOS}{app}/{hash}.png")
}

/// The same as other programs find it.
pub(super) fn make_absolute(core: &Core, path: &mut Option<String>) {
    if let Some(path) = path {
        path.insert_str(0, &core.settings.public_url);
    }
}

/// Gives the app a logo: a PNG, JPEG or WebP picture, whatever it is called.
pub async fn set(ctx: &Ctx, id: AppId, upload: Vec<u8>) -> Result<App> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    super::get(ctx, Perm::AppsWrite, id).await?;
    let png = drawn(upload).await?;
    let hash: String = blake3::hash(&png).to_hex().chars().take(32).collect();
    let mut tx = ctx.write(&grant).await?;
    let before = lock(ctx, tx.tx(), &grant, id).await?;
    let mut logo_url = Some(path(id, &hash));
    make_absolute(ctx.core(), &mut logo_url);
    if before.logo_url == logo_url {
        return Ok(before);
    }
    sql::set_logo(tx.tx(), &grant, id, &hash, &png, ctx.now()).await?;
    changed(ctx, tx, "oauth_app.logo_set", &before, App { logo_url, ..before.clone() }).await
}

/// Takes it away.
pub async fn remove(ctx: &Ctx, id: AppId) -> Result<App> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let mut tx = ctx.write(&grant).await?;
    let before = lock(ctx, tx.tx(), &grant, id).await?;
    if before.logo_url.is_none() {
        return Ok(before);
    }
    sql::remove_logo(tx.tx(), &grant, id).await?;
    changed(ctx, tx, "oauth_app.logo_removed", &before, App { logo_url: None, ..before.clone() }).await
}

async fn changed(ctx: &Ctx, mut tx: WriteTx, action: &'static str, before: &App, after: App) -> Result<App> {
    tokens::tell_app_changed(tx.tx(), after.id, ctx.now()).await?;
    let told = |app: &App| app.logo_url.as_ref().map(|url| json!({"logo_url": url}));
    let (was, is) = (told(before), told(&after));
    tx.commit(Event { action, target: target(after.id, &after.name), reason: None, before: was, after: is }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// The picture of that name, for whoever asks: people see it before an app is anything to them.
pub async fn get(ctx: &Ctx, id: AppId, hash: &str) -> Result<Vec<u8>> {
    let client = ctx.core().apps.get(id).filter(|c| c.in_use && c.logo.as_deref() == Some(hash)).ok_or(Error::NotFound)?;
    let grant = Grant::of_authorization(client.tenant_id, ctx.actor());
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::logo(&mut tx, &grant, id, hash).await?.ok_or(Error::NotFound)
}

async fn drawn(upload: Vec<u8>) -> Result<Vec<u8>> {
    let refused = |why: &str| Error::field("logo", "invalid", why);
    if upload.is_empty() {
        return Err(Error::field("logo", "required", "Choose a picture."));
    }
    if upload.len() > LARGEST {
        return Err(Error::field("logo", "too_long", "The picture is larger than 256 kB."));
    }
    let _turn = DECODING.acquire().await.map_err(Error::internal)?;
    spawn_blocking(move || draw(&upload)).await.map_err(Error::internal)?.map_err(refused)
}

const UNREADABLE: &str = "The picture cannot be read: it is damaged, or cut off.";

/// The picture on a transparent square, as PNG.
fn draw(upload: &[u8]) -> std::result::Result<Vec<u8>, &'static str> {
    // By what it begins with: a name or a type is what somebody says of it.
    let format = image::guess_format(upload).ok().filter(|f| matches!(f, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP));
    let format = format.ok_or("A logo is a PNG, JPEG or WebP picture.")?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(WIDEST), Some(WIDEST), Some(DECODED));
    let mut reader = ImageReader::with_format(Cursor::new(upload), format);
    reader.limits(limits);
    let too_large = "The picture is too large: at most 4,096 × 4,096 pixels.";
    let mut decoder = reader.into_decoder().map_err(|e| if matches!(e, image::ImageError::Limits(_)) { too_large } else { UNREADABLE })?;
    let (width, height) = decoder.dimensions();
    if width > WIDEST || height > WIDEST || decoder.total_bytes() > DECODED {
        return Err(too_large);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|_| UNREADABLE)?;
    decoded.apply_orientation(orientation);
    let mut pixels = decoded.into_rgba8();
    // What is transparent has a colour, too, which must not bleed into what is not.
    weigh(&mut pixels, |colour, alpha| part(colour, alpha, 255));
    let mut fitted = DynamicImage::ImageRgba8(pixels).resize(SIDE, SIDE, FilterType::Triangle).into_rgba8();
    weigh(&mut fitted, |colour, alpha| part(colour, 255, alpha));
    let mut square = RgbaImage::new(SIDE, SIDE);
    let (x, y) = ((SIDE - fitted.width()) / 2, (SIDE - fitted.height()) / 2);
    imageops::replace(&mut square, &fitted, x.into(), y.into());
    let mut png = Cursor::new(Vec::new());
    square.write_to(&mut png, ImageFormat::Png).map_err(|_| UNREADABLE)?;
    Ok(png.into_inner())
}

/// Changes each colour by how much of it is seen.
fn weigh(pixels: &mut RgbaImage, weight: impl Fn(u8, u8) -> u8) {
    for Rgba([colours @ .., alpha]) in pixels.pixels_mut() {
        for colour in colours {
            *colour = weight(*colour, *alpha);
        }
    }
}

/// `n × by ⁄ of`, rounded; nothing of nothing.
fn part(n: u8, by: u8, of: u8) -> u8 {
    let (n, by, of) = (u32::from(n), u32::from(by), u32::from(of));
    (n * by + of / 2).checked_div(of).map_or(0, |part| u8::try_from(part).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let picture = RgbaImage::from_pixel(width, height, Rgba([200, 20, 20, 255]));
        let picture =
            if format == ImageFormat::Jpeg { DynamicImage::ImageRgba8(picture).into_rgb8().into() } else { DynamicImage::from(picture) };
        picture.write_to(&mut out, format).expect("encodes");
        out.into_inner()
    }

    fn read(png: &[u8]) -> RgbaImage {
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
        image::load_from_memory(png).expect("a picture").into_rgba8()
    }

    #[test]
    fn s73_a_picture_of_each_format_becomes_a_square_png_with_transparent_edges() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            for (width, height, corner, middle) in [(300, 100, 0, 255), (10, 20, 0, 255), (64, 64, 255, 255), (400, 1, 0, 255)] {
                let drawn = read(&draw(&encoded(width, height, format)).expect("drawn"));
                assert_eq!(drawn.dimensions(), (SIDE, SIDE));
                let alpha = (drawn.get_pixel(0, 0).0[3], drawn.get_pixel(SIDE / 2, (SIDE - 1) / 2).0[3]);
                assert_eq!(alpha, (corner, middle), "{format:?} {width}×{height}");
            }
        }
    }

    #[test]
    fn s73_what_is_no_picture_is_refused_and_nothing_of_the_upload_stays() {
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
        let mut cut = encoded(64, 64, ImageFormat::Png);
        cut.truncate(60);
        for bad in [svg.as_slice(), b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", b"BM", b"<html>", b"\x89PNG\r\n\x1a\n", &cut] {
            assert!(draw(bad).is_err(), "{bad:?}");
        }
        let mut polyglot = encoded(64, 64, ImageFormat::Png);
        polyglot.extend_from_slice(b"<script>alert(1)</script>");
        let mut with_exif = vec![0xff, 0xd8, 0xff, 0xe1, 0, 24];
        with_exif.extend_from_slice(b"Exif\0\0GPS: 52.5, 13.4..");
        with_exif.extend_from_slice(&encoded(64, 64, ImageFormat::Jpeg)[2..]);
        for (upload, secret) in [(polyglot, b"<script>".as_slice()), (with_exif, b"GPS")] {
            let drawn = draw(&upload).expect("drawn");
            assert!(!drawn.windows(secret.len()).any(|w| w == secret));
        }
    }

    #[test]
    fn s73_a_small_file_that_would_become_a_huge_picture_is_refused_before_it_is_decoded() {
        let mut bomb = encoded(1, 1, ImageFormat::Png);
        // Its header says 30,000 × 30,000.
        bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let crc = crc32fast::hash(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert!(draw(&bomb).expect_err("too large").contains("4,096"));
        let wide = encoded(WIDEST + 1, 1, ImageFormat::Png);
        assert!(draw(&wide).expect_err("too wide").contains("4,096"));
        assert!(draw(&encoded(WIDEST, 2, ImageFormat::Png)).is_ok());
    }

    #[test]
    fn the_colour_of_what_is_transparent_does_not_bleed() {
        let mut picture = RgbaImage::from_pixel(256, 256, Rgba([0, 0, 0, 0]));
        for x in 128..256 {
            for y in 0..256 {
                picture.put_pixel(x, y, Rgba([255, 255, 255, 255]));
            }
        }
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, ImageFormat::Png).expect("encodes");
        let drawn = read(&draw(&out.into_inner()).expect("drawn"));
        assert!(drawn.pixels().all(|p| p.0[3] == 0 || p.0[..3] == [255, 255, 255]), "no grey edge");
    }
}
